"""What processing keeps of authors who were taken down: nothing, and nothing more comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import zstandard

from xget_contracts.events import FORGOTTEN, PAGES, RESULTS, AuthorForgotten, PageCollected, PageParsed
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_processing.models import FROZEN
from xget_processing.settings import Settings
from xget_processing.worker import create_worker
from xget_testing.contracts.pages import START
from xget_testing.database import everything_in
from xget_testing.parsing import ToyRecords, ToySource, make_raw

MIXED = ["7 new-shape secret", "8 new-shape fine", "7 secret", "8 fine"]


class Line:
    """A running worker between topics."""

    def __init__(self, log: SqliteEventLog, settings: Settings, results: Any) -> None:
        self.log = log
        self.settings = settings
        self.results = results

    async def collect(self, *pages: PageCollected) -> None:
        now = SystemClock().now()
        await self.log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in pages])

    async def parsed(self, count: int) -> list[str]:
        """Keys of the items on the next pages."""
        found: list[PageParsed] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                records = await self.results.poll(timeout=0.2)
                found += [codec.decode(record, PageParsed) for record in records]
                await self.results.commit(records)
        return [item.key for page in found for item in page.items]

    async def forget(self, *, lifted: bool = False, at: float = 0) -> None:
        moment = START + timedelta(seconds=at)
        event = AuthorForgotten(author_key="toy:7", platform="toy", author_id="7", at=moment, lifted=lifted)
        await self.log.publish(
            [codec.message(FORGOTTEN, "toy:7", event, source="test", now=SystemClock().now())],
        )
        async with asyncio.timeout(60):
            while await self._waiting() or not (await self.tables())["forgotten_authors"]:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.02)

    async def _waiting(self) -> int | None:
        return (await self.log.lag("processing-forgotten")).get(FORGOTTEN)

    async def tables(self) -> dict[str, Any]:
        return await asyncio.to_thread(everything_in, self.settings.tables_url)

    async def payloads(self) -> list[str]:
        """All texts that quarantine and waiting pages keep."""
        found: list[str] = []
        tables = await self.tables()
        for table in ("quarantine", "quarantine_pages", "frozen_pages"):
            for value in (value for row in tables[table] for value in row if isinstance(value, bytes)):
                found += _texts(value)
        return found


def _texts(value: bytes) -> list[str]:
    try:
        body = zstandard.decompress(value)
    except zstandard.ZstdError:
        body = zstandard.decompress(msgspec.msgpack.decode(value, type=PageCollected).body_zstd)
    payload = msgspec.json.decode(body)
    return [payload] if isinstance(payload, str) else list(payload)


@pytest.fixture
async def line(settings: Settings, source: ToySource) -> AsyncIterator[Line]:
    log = SqliteEventLog(settings.home / "events.db")
    await log.create_topics(load_topics())
    stop = asyncio.Event()
    worker = create_worker(settings, log=log, sources={"toy": source}, records={"toy": ToyRecords()})
    work = asyncio.create_task(worker.run(stop))
    async with log.consumer("test", [RESULTS]) as results:
        yield Line(log, settings, results)
        stop.set()
        await work
    await log.close()


async def test_an_author_goes_out_of_quarantine_and_others_stay(line: Line) -> None:
    await line.collect(make_raw(1, MIXED))
    assert await line.parsed(1) == ["toy:7 secret", "toy:8 fine"]
    assert sorted(await line.payloads()) == sorted(["7 new-shape secret", "8 new-shape fine", *MIXED])
    for _ in range(2):
        await line.forget()
        assert sorted(await line.payloads()) == ["8 fine", "8 new-shape fine", "8 new-shape fine"]


async def test_pages_that_come_later_come_without_the_author(line: Line) -> None:
    await line.forget()
    await line.collect(make_raw(1, MIXED), make_raw(1, MIXED, execution_id="e2"))
    assert await line.parsed(2) == ["toy:8 fine", "toy:8 fine"]
    assert not [text for text in await line.payloads() if "secret" in text]


async def test_pages_that_wait_for_a_frozen_parser_lose_the_author(line: Line) -> None:
    await line.collect(*(make_raw(n, ["8 new-shape"]) for n in range(1, 11)))
    await line.parsed(10)
    assert FROZEN in {row[3] for row in (await line.tables())["parsers"]}
    await line.collect(make_raw(11, MIXED))
    async with asyncio.timeout(60):
        while not (await line.tables())["frozen_pages"]:  # noqa: ASYNC110 - the worker has no event for it
            await asyncio.sleep(0.05)
    await line.forget()
    waiting = [text for text in await line.payloads() if text == "8 fine"]
    assert (waiting, [text for text in await line.payloads() if "secret" in text]) == (["8 fine"], [])


async def test_a_lifted_ban_lets_the_author_in_and_an_older_event_does_not_matter(line: Line) -> None:
    await line.forget(at=1)
    await line.forget(at=2, lifted=True)
    await line.forget(at=1)
    await line.collect(make_raw(1, MIXED))
    assert await line.parsed(1) == ["toy:7 secret", "toy:8 fine"]
