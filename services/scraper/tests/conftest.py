"""The scraper as its app and worker build it, on an embedded log, with a platform in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_events.sqlite import SqliteEventLog
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_scraper.worker import create_worker
from xget_testing.apps import running
from xget_testing.collecting import FakeSessions, ListSource, PageStore
from xget_testing.tokens import TokenMaker

Start = Callable[..., AbstractAsyncContextManager[asyncio.Task[None]]]
Creator = Callable[..., Awaitable[dict[str, Any]]]
Until = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A worker that is quick to see a dead one."""
    return Settings(
        home=tmp_path,
        port=0,
        internal_token="inner",
        scraper_lease_seconds=0.6,
        scraper_poll_seconds=0.1,
        scraper_drain_seconds=2,
        scraper_sse_seconds=0.02,
        account_service_url="http://127.0.0.1:1",
        proxy_service_url="http://127.0.0.1:1",
        storage_service_url="http://127.0.0.1:1",
    )


@pytest.fixture
def tokens() -> TokenMaker:
    return TokenMaker()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(tmp_path / "events.db")
    yield log
    await log.close()


@pytest.fixture
def source() -> ListSource:
    return ListSource([f"x:{number}" for number in range(1, 46)])


@pytest.fixture
def sessions() -> FakeSessions:
    return FakeSessions()


@pytest.fixture
def app(settings: Settings, log: SqliteEventLog, tokens: TokenMaker, source: ListSource) -> FastAPI:
    return create_app(settings, log=log, verifier=tokens.verifier(), sources={"x": source})


@pytest.fixture
async def client(app: FastAPI, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=tokens.make("ada", ["analyst"])) as client:
        yield client


@pytest.fixture
async def storage(log: SqliteEventLog, client: httpx.AsyncClient) -> AsyncIterator[PageStore]:
    store, stop = PageStore(log), asyncio.Event()
    running_store = asyncio.create_task(store.run(stop))
    yield store
    stop.set()
    store.paused.set()
    await running_store


@pytest.fixture
def start_worker(settings: Settings, log: SqliteEventLog, source: ListSource, sessions: FakeSessions) -> Start:
    """Runs a worker inside the block and stops it at its end; an argument replaces what it is built of."""

    @asynccontextmanager
    async def start(**changed: Any) -> AsyncIterator[asyncio.Task[None]]:
        parts: dict[str, Any] = {"log": log, "sources": {"x": source}, "sessions": sessions} | changed
        stop = asyncio.Event()
        task = asyncio.create_task(create_worker(parts.pop("settings", settings), **parts).run(stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.gather(task, return_exceptions=True)

    return start


@pytest.fixture
def create(client: httpx.AsyncClient) -> Creator:
    """Creates a keyword search."""

    async def post(**fields: Any) -> dict[str, Any]:
        body = {"task_name": "AI", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI"}} | fields
        answer = await client.post("/api/v1/tasks", json=body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return post


@pytest.fixture
def until(client: httpx.AsyncClient) -> Until:
    """Waits until a task's status is one of these; its status document."""

    async def wait(task: dict[str, Any], *statuses: str, seconds: float = 15) -> dict[str, Any]:
        wanted = statuses or ("COMPLETED", "FAILED", "STOPPED")
        async with asyncio.timeout(seconds):
            while True:
                found: dict[str, Any] = (await client.get(f"/api/v1/tasks/{task['id']}/status")).json()
                if found["status"] in wanted:
                    return found
                await asyncio.sleep(0.02)

    return wait
