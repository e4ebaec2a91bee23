"""Messages become stored and searchable items, exactly once, whatever breaks in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pytest
import zstandard

from xget_contracts.events import PAGES, RESULTS, STORED, PageCollected, PageParsed, PageStored
from xget_events import codec
from xget_events.runner import ConsumerRunner
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock, SystemClock
from xget_kernel.errors import Unavailable
from xget_kernel.messages import Message
from xget_storage.adapters.stores import Stores
from xget_storage.consumers import on_page_parsed
from xget_storage.ports import ItemFilter, SearchQuery
from xget_storage.service.ingest import IngestService
from xget_storage.settings import Settings
from xget_storage.tasks import drop_old_pages
from xget_testing.contracts.pages import START, make_item, make_page


async def total(line: Any, text: str) -> int:
    """How many items search finds."""
    page = await line.stores.search.search(SearchQuery(text=text, wanted=ItemFilter(owner="owner-1")))
    return int(page.total)


async def test_parsed_pages_become_stored_and_searchable(line: Any) -> None:
    pages = [make_page(n, [make_item(n * 10 + i, text=f"量子 number {n}") for i in range(5)]) for n in range(1, 6)]
    answers = await line.send(pages)
    assert sum(answer.new for answer in answers) == 25
    assert [answer.page_no for answer in answers] == [1, 2, 3, 4, 5]
    assert await total(line, "量子") == 25


async def test_sending_everything_twice_gives_the_same_answers_and_documents(line: Any) -> None:
    pages = [make_page(n, [make_item(n + i) for i in range(4)]) for n in range(1, 9)]
    first = await line.send(pages)
    before = await line.stores.documents.load([f"x:{n}" for n in range(20)])
    assert await line.send(pages) == first
    assert await line.stores.documents.load([f"x:{n}" for n in range(20)]) == before
    assert await total(line, "post") == len(before)


async def test_pages_in_any_order_and_twice_end_in_the_same_documents(line: Any) -> None:
    pages = [make_page(n, [make_item(n + i) for i in range(4)]) for n in range(1, 9)]
    shuffled = [pages[n] for n in (7, 2, 2, 5, 0, 7, 1, 6, 3, 4, 0)]
    answers = await line.send(shuffled)
    latest = {answer.page_no: answer for answer in answers}
    assert sum(answer.new for answer in latest.values()) == len({key for page in pages for key in keys(page)})
    mixed = await line.stores.documents.load([f"x:{n}" for n in range(20)])
    await line.send(pages)
    assert await line.stores.documents.load([f"x:{n}" for n in range(20)]) == mixed
    assert await total(line, "post") == len(mixed)


def keys(page: PageParsed) -> list[str]:
    return [item.native_id for item in page.items]


async def test_raw_pages_are_kept_as_received_and_dropped_in_time(line: Any) -> None:
    body = zstandard.compress(b'{"a": 1}')
    page = PageCollected(
        execution_id="e1", task_id="t1", owner_id="owner-1", page_no=3, platform="x", route="x",
        task_type="KEYWORD_SEARCH", operation="SearchTimeline", fetched_at=START, sha256="00", body_zstd=body,
    )  # fmt: skip
    await line.log.publish([codec.message(PAGES, "e1", page, source="test", now=START)] * 2)

    async def kept() -> bool:
        return await line.stores.raw_pages.get("e1", 3) is not None

    await line.until(kept)
    assert (await line.stores.raw_pages.get("e1", 3)).body_zstd == body
    now = SystemClock().now()
    await drop_old_pages(line.stores.raw_pages, ManualClock(now), 30)
    assert await line.stores.raw_pages.get("e1", 3) is not None
    await drop_old_pages(line.stores.raw_pages, ManualClock(now.replace(year=now.year + 1)), 0)
    assert await line.stores.raw_pages.get("e1", 3) is not None
    await drop_old_pages(line.stores.raw_pages, ManualClock(now.replace(year=now.year + 1)), 30)
    assert await line.stores.raw_pages.get("e1", 3) is None


async def test_a_message_that_is_no_page_goes_to_the_dead_letters(line: Any) -> None:
    await line.log.publish([Message(RESULTS, "e1", b'{"execution_id": 5}')])
    (answer,) = await line.send([make_page(1, [make_item(1)])])
    assert answer.new == 1
    async with line.log.consumer("test-dlq", [RESULTS + ".dlq"]) as consumer:
        (letter,) = await consumer.poll(timeout=60)
        assert "PageParsed" in letter.headers["xget-reason"]


class _Breaking:
    """A store or log whose next `breaks` calls fail, after the work is done or before."""

    def __init__(self, inner: Any, breaks: int, *, after: bool) -> None:
        self._inner = inner
        self._breaks = breaks
        self._after = after

    async def store_pages(self, pages: Sequence[PageParsed], now: datetime) -> list[PageStored]:
        return await self._break(self._inner.store_pages, pages, now)  # type: ignore[no-any-return]  # the inner's answer

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._break(self._inner.publish, messages)

    async def _break(self, call: Any, *arguments: Any) -> Any:
        self._breaks -= 1
        if self._breaks >= 0 and not self._after:
            raise Unavailable("Broken before.")
        result = await call(*arguments)
        if self._breaks >= 0:
            raise Unavailable("Broken after.")
        return result


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("part", ["store", "publish"])
async def test_a_crash_between_two_steps_loses_and_doubles_nothing(
    settings: Settings, log: SqliteEventLog, part: str, after: bool
) -> None:
    pages = [make_page(n, [make_item(n + i) for i in range(4)]) for n in range(1, 9)]
    stop = asyncio.Event()
    async with Stores.opened(settings) as stores:
        documents: Any = _Breaking(stores.documents, 3, after=after) if part == "store" else stores.documents
        sink: Any = _Breaking(log, 3, after=after) if part == "publish" else log
        ingest = IngestService(documents, stores.raw_pages, SystemClock())
        handler = on_page_parsed(ingest, sink, STORED, SystemClock())
        runner = ConsumerRunner(log, "storage", [RESULTS], handler, batch=3, backoff=0.001)
        work = asyncio.create_task(runner.run(stop))
        messages = [codec.message(RESULTS, "e1", page, source="test", now=START) for page in pages]
        await log.publish(messages)
        answers: dict[int, PageStored] = {}
        async with log.consumer("test", [STORED]) as consumer, asyncio.timeout(60):
            while len(answers) < len(pages):
                for record in await consumer.poll():
                    answer = codec.decode(record, PageStored)
                    assert answers.setdefault(answer.page_no, answer) == answer
        stop.set()
        await work
        listed = await stores.documents.sighted(ItemFilter(owner="owner-1", task_id="t1"), 100)
    assert sorted(int(one.item.native_id) for one in listed.items) == list(range(1, 12))
    assert sum(answer.new for answer in answers.values()) == 11
    assert sum(answer.duplicate for answer in answers.values()) == 8 * 4 - 11


async def test_what_search_missed_is_made_up_for(line: Any) -> None:
    await line.stores.documents.store_pages([make_page(1, [make_item(1), make_item(2)])], START)
    stored = PageStored(
        execution_id="e1", task_id="t1", owner_id="owner-1", page_no=1, stored_at=START, matched=2, context=0,
        new=2, updated=0, unchanged=0, duplicate=0, keys=["x:1", "x:2", "x:gone"],
    )  # fmt: skip
    assert await total(line, "post") == 0
    await line.log.publish([Message(STORED, "e1", msgspec.json.encode(stored))])

    async def found() -> bool:
        return await total(line, "post") == 2

    await line.until(found)
