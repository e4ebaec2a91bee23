"""A processing service on a fresh folder, with a parser that tests can change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from xget_contracts.events import PAGES, RESULTS, PageCollected, PageParsed
from xget_events import codec
from xget_events.log import Consumer
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Secret
from xget_processing.settings import Settings
from xget_processing.worker import create_worker
from xget_telemetry.metrics import Registry
from xget_testing.database import tables_made, tables_of
from xget_testing.parsing import ToySource, make_raw
from xget_testing.patience import readiness_patience
from xget_testing.tokens import TokenMaker

__all__ = ["readiness_patience", "tables_made"]


@dataclass
class Works:
    """A running worker between a topic that is written and one that is read."""

    log: SqliteEventLog
    settings: Settings
    source: ToySource
    results: Consumer
    stop: asyncio.Event
    work: asyncio.Task[None]
    metrics: Registry

    page = staticmethod(make_raw)

    async def send(self, *pages: PageCollected) -> list[PageParsed]:
        """Publish raw pages and give what was parsed."""
        now = SystemClock().now()
        await self.log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in pages])
        return await self.receive(len(pages))

    async def receive(self, count: int) -> list[PageParsed]:
        """The next results."""
        found: list[PageParsed] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                records = await self.results.poll()
                found += [codec.decode(record, PageParsed) for record in records]
                await self.results.commit(records)
        return found

    async def end(self) -> None:
        """Stop the worker."""
        self.stop.set()
        await self.work

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds that the worker brings about."""
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - the worker has no event for it
                await asyncio.sleep(0.01)


database_url = tables_of("xget_processing")


@pytest.fixture
def settings(tmp_path: Any, database_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=Secret(database_url), processing_thaw_seconds=0.05)


@pytest.fixture
def tokens() -> TokenMaker:
    return TokenMaker()


@pytest.fixture
def source() -> ToySource:
    return ToySource()


@pytest.fixture
async def works(settings: Settings, source: ToySource) -> AsyncIterator[Works]:
    log = SqliteEventLog(settings.home / "events.db")
    await log.create_topics(load_topics())
    stop = asyncio.Event()
    metrics = Registry()
    worker = create_worker(settings, log=log, sources={"toy": source}, metrics=metrics)
    work = asyncio.create_task(worker.run(stop))
    async with log.consumer("test", [RESULTS]) as results:
        running = Works(log, settings, source, results, stop, work, metrics)
        yield running
        await running.end()
    await log.close()
