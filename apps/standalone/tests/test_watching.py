"""A worker's process tells those who watch it whether it can work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from xget_kernel.settings import ServiceSettings
from xget_standalone.watching import Watch, watching_app
from xget_telemetry.metrics import Registry


@asynccontextmanager
async def watched(settings: ServiceSettings) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Task[None]]]:
    job = asyncio.create_task(asyncio.sleep(60))
    app = watching_app(Watch(settings, ("tables", "events"), job), Registry())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://worker") as client:
        try:
            yield client, job
        finally:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)


async def test_a_worker_that_works_is_ready(tmp_path: Path) -> None:
    async with watched(ServiceSettings(home=tmp_path)) as (client, _):
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "ready", "reasons": []}
        assert (await client.get("/metrics")).status_code == 200


async def test_a_worker_that_has_ended_is_alive_and_not_ready(tmp_path: Path) -> None:
    async with watched(ServiceSettings(home=tmp_path)) as (client, job):
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["The worker has ended."])


async def test_an_engine_that_is_away_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_SERVER", "127.0.0.1:1")
    monkeypatch.setenv("POSTGRES_PASSWORD", "s3cret")
    async with watched(ServiceSettings(home=tmp_path)) as (client, _):
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "127.0.0.1:1" in answer.text
    assert "s3cret" not in answer.text
