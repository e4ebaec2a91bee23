"""The scraper as its app and worker build it, on an embedded log, with a platform in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_events.sqlite import SqliteEventLog
from xget_kernel.secrets import Secret
from xget_scraper.app import create_app
from xget_scraper.settings import Settings
from xget_scraper.worker import Worker, create_worker
from xget_testing.apps import running
from xget_testing.collecting import FakeSessions, ListSource, PageStore, World
from xget_testing.database import tables_made, tables_of
from xget_testing.patience import readiness_patience
from xget_testing.tokens import TokenMaker

__all__ = ["readiness_patience", "tables_made"]

database_url = tables_of("xget_scraper")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """A worker that a busy machine may hold up without its execution passing on."""
    return Settings(
        home=tmp_path,
        database_url=Secret(database_url),
        port=0,
        internal_token="inner",
        scraper_lease_seconds=60.0,
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
def world(  # noqa: PLR0917 - it is made of everything above
    client: httpx.AsyncClient,
    storage: PageStore,
    settings: Settings,
    log: SqliteEventLog,
    sessions: FakeSessions,
    source: ListSource,
) -> World:
    """All of it; `world.worker()` runs workers."""
    parts: dict[str, Any] = {"log": log, "sources": {"x": source}, "sessions": sessions}

    def make_worker(settings: Settings = settings, **changed: Any) -> Worker:
        return create_worker(settings, **parts | changed)

    return World(client, source, sessions, storage, settings, make_worker)
