"""A storage service on a fresh folder."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymongo import MongoClient

from xget_contracts.events import RESULTS, STORED, PageParsed, PageStored
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Secret
from xget_storage.adapters.mongo import MongoServer, opened_mongo
from xget_storage.adapters.stores import Stores
from xget_storage.settings import Settings
from xget_storage.worker import create_worker
from xget_testing.patience import readiness_patience
from xget_testing.tokens import TokenMaker

__all__ = ["readiness_patience"]


@dataclass
class Line:
    """A running worker between a topic that is written and one that is read."""

    log: SqliteEventLog
    stores: Stores
    settings: Settings

    async def send(self, pages: Sequence[PageParsed]) -> list[PageStored]:
        """Publish parsed pages, and give what is said of them once search has them too."""
        now = SystemClock().now()
        async with self.log.consumer("test", [STORED]) as consumer:
            await self.log.publish([codec.message(RESULTS, p.execution_id, p, source="test", now=now) for p in pages])
            answers: list[PageStored] = []
            while len(answers) < len(pages):
                records = await consumer.poll()
                answers += [codec.decode(record, PageStored) for record in records]
                await consumer.commit(records)
        await self.settle()
        return answers

    async def settle(self) -> None:
        """Wait until search has everything."""
        await self.until(self._searchable)

    async def _searchable(self) -> bool:
        return not (await self.log.lag("search-index")).get(STORED)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds that another task brings about."""
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - the worker has no event for it
                await asyncio.sleep(0.01)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, grpc_port=0)


@pytest.fixture
def tokens() -> TokenMaker:
    return TokenMaker()


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[SqliteEventLog]:
    events = SqliteEventLog(settings.home / "events.db")
    await events.create_topics(load_topics())
    yield events
    await events.close()


@asynccontextmanager
async def working(settings: Settings, log: SqliteEventLog) -> AsyncIterator[Line]:
    """A worker for the length of a block."""
    stop = asyncio.Event()
    async with Stores.opened(settings) as stores:
        work = asyncio.create_task(create_worker(settings, log=log).run(stop))
        try:
            yield Line(log, stores, settings)
        finally:
            stop.set()
            await work


@pytest.fixture
async def line(settings: Settings, log: SqliteEventLog) -> AsyncIterator[Line]:
    async with working(settings, log) as running:
        yield running


@pytest.fixture
async def mongo_settings(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Settings]:
    """A database of the test's own on the shared server, dropped when everybody has left it."""
    name = f"t{secrets.token_hex(6)}"
    yield Settings(home=tmp_path, grpc_port=0, mongodb_url=Secret(mongodb_url), mongodb_db=name)
    await asyncio.to_thread(_drop, mongodb_url, name)


def _drop(url: str, name: str) -> None:
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(name)


@pytest.fixture
async def mongo(mongo_settings: Settings) -> AsyncIterator[MongoServer]:
    """An open connection to it."""
    async with opened_mongo(mongo_settings) as server:
        yield server
