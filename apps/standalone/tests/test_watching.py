"""A worker's process tells those who watch it whether it can work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from xget_kernel.engines import Concern
from xget_kernel.settings import ServiceSettings
from xget_standalone.probes import probing
from xget_standalone.watching import Watch, watching_app
from xget_telemetry.metrics import Registry


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that are away here refuse at once; only this machine may be slow."""
    monkeypatch.setattr(probing, "PROBE_SECONDS", 60.0)


@asynccontextmanager
async def watched(
    settings: ServiceSettings, *more: Concern, trouble: str | None = None, begun: bool = True, **degraded: str
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Task[None]]]:
    job = asyncio.create_task(asyncio.sleep(60))
    working = asyncio.Event()
    if begun:
        working.set()
    concerns: tuple[Concern, ...] = ("tables", "events", *more)
    watch = Watch(settings, concerns, job, begun=working, degraded=lambda: degraded, trouble=lambda: trouble)
    app = watching_app(watch, Registry())
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


async def test_a_worker_that_still_opens_what_it_needs_is_not_ready(tmp_path: Path) -> None:
    async with watched(ServiceSettings(home=tmp_path), begun=False) as (client, _):
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["The worker is still starting."])


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


async def test_a_worker_without_search_can_work_and_says_what_works_less_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://someone:s3cret@127.0.0.1:1")
    async with watched(ServiceSettings(home=tmp_path), "search", proxies="The proxy service rests.") as (client, _):
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["reasons"]) == (200, "ready", [])
    search, proxies = answer.json()["degraded"]
    assert search.startswith("Search is away: Elasticsearch at http://********@127.0.0.1:1 does not answer")
    assert proxies == "The proxy service rests."


async def test_what_the_worker_knows_of_a_concern_stands_for_what_its_engine_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://127.0.0.1:1")
    async with watched(ServiceSettings(home=tmp_path), "search", search="Its mapping is foreign.") as (client, _):
        assert (await client.get("/readyz")).json()["degraded"] == ["Its mapping is foreign."]


async def test_a_log_that_answers_and_cannot_work_is_a_reason(tmp_path: Path) -> None:
    async with watched(ServiceSettings(home=tmp_path), trouble="Kafka has no topic xget.pages.") as (client, _):
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["Kafka has no topic xget.pages."])
