"""Raw pages become items; what cannot be read is kept, once, and can be read later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from xget_contracts.events import PAGES, RESULTS, PageParsed
from xget_contracts.items import Rejected
from xget_events.log import Record
from xget_events.runner import ConsumerRunner
from xget_kernel.caller import LOCAL_ADMIN, Caller
from xget_kernel.clock import SystemClock
from xget_kernel.errors import Unavailable
from xget_kernel.messages import Message
from xget_kernel.pages import PageQuery
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.consumers import on_page_collected
from xget_processing.errors import RecordClosed
from xget_processing.models import Base, RecordFilter
from xget_processing.repository import Store
from xget_processing.service.drift import DriftRules, DriftService
from xget_processing.service.freezing import FreezeRules, FreezeService
from xget_processing.service.language import LanguageRules
from xget_processing.service.metrics import ParserMetrics
from xget_processing.service.parsing import PageParser
from xget_processing.service.quarantine import QuarantineService
from xget_processing.service.reading import ReadingService
from xget_sources.ports import Parsed
from xget_telemetry.metrics import Registry
from xget_testing.database import assert_tables_match, migrated

ALL = RecordFilter()


@pytest.fixture
async def quarantine(works: Any) -> Any:
    """The use cases on the worker's own tables."""
    async with migrated("xget_processing", works.settings.tables_url) as database:
        parser = PageParser({"toy": works.source}, LanguageRules(FastLangdetect()))
        yield QuarantineService(Store(database, RESULTS, SystemClock()), parser, SystemClock())


async def records(quarantine: QuarantineService) -> list[tuple[int, str, str]]:
    """Page, path and state of all records, oldest first."""
    found, _ = await quarantine.find(ALL, PageQuery(size=100))
    return sorted((record.page_no, record.path, record.state) for record in found)


async def test_a_page_is_parsed_cleaned_and_announced(works: Any) -> None:
    (result,) = await works.send(works.page(1, ["今天 &amp; 量子", "b"], attempt=3))
    assert [(item.text, item.raw_text, item.lang) for item in result.items] == [
        ("今天 & 量子", "今天 &amp; 量子", "zh"),
        ("b", "b", None),
    ]
    assert (result.execution_id, result.page_no, result.parser_version, result.attempt) == ("e1", 1, "toy-1", 3)
    assert (result.quarantined, result.replay) == (0, False)


async def test_rejected_records_go_to_quarantine_once_however_often_they_come(
    works: Any, quarantine: QuarantineService
) -> None:
    page = works.page(1, ["a", "new-shape", "new-shape twice", "and new-shape twice"])
    for _ in range(3):
        (result,) = await works.send(page)
        assert (len(result.items), result.quarantined) == (1, 3)
    assert await records(quarantine) == [(1, "$[1]", "open"), (1, "$[twice]", "open"), (1, "$[twice]#2", "open")]


async def test_pages_in_any_order_and_twice_give_the_same_results(works: Any, quarantine: QuarantineService) -> None:
    pages = [works.page(n, [f"text {n}", "new-shape"]) for n in range(1, 5)]
    first = {result.page_no: result for result in await works.send(*pages)}
    for result in await works.send(*(pages[n] for n in (3, 0, 2, 3, 1, 1))):
        assert result == first[result.page_no]
    assert [place[0] for place in await records(quarantine)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({}, b"<html>not JSON"),
        ({}, ["a", "crash"]),
        ({"body_zstd": b"not zstd"}, []),
        ({"route": "elsewhere"}, ["a"]),
    ],
)
async def test_a_page_that_cannot_be_read_at_all_is_one_record_and_the_execution_goes_on(
    works: Any, quarantine: QuarantineService, fields: dict[str, Any], body: Any
) -> None:
    (result,) = await works.send(works.page(1, body, **fields))
    assert (result.items, result.quarantined) == ([], 1)
    ((_, path, state),) = await records(quarantine)
    assert (path, state) == ("$", "open")


async def test_a_mended_parser_reads_what_was_kept(works: Any, quarantine: QuarantineService) -> None:
    await works.send(
        works.page(1, ["a", "new-shape 1"]), works.page(2, ["new-shape 2", "other 3"]), works.page(3, ["c"])
    )
    works.source.parser_version, works.source.unknown = "toy-2", "other"
    report = await quarantine.replay(ALL)
    assert (report.pages, report.replayed, report.still_open, report.remaining) == (2, 2, 1, 0)
    first, second = await works.receive(2)
    assert ([item.native_id for item in first.items], first.replay, first.quarantined) == (
        ["a", "new-shape 1"],
        True,
        0,
    )
    assert ([item.native_id for item in second.items], second.quarantined) == (["new-shape 2"], 1)
    assert await records(quarantine) == [(1, "$[1]", "replayed"), (2, "$[0]", "replayed"), (2, "$[1]", "open")]
    works.source.unknown = ""
    assert (await quarantine.replay(RecordFilter(platform="toy"))).replayed == 1
    assert (await quarantine.replay(ALL)).pages == 0


async def test_what_only_an_earlier_attempt_at_a_page_showed_stays_in_quarantine(
    works: Any, quarantine: QuarantineService
) -> None:
    """A page that is collected again after a crash may show other posts under its number."""
    (first,) = await works.send(works.page(1, ["new-shape gone", "a"], attempt=1))
    (second,) = await works.send(works.page(1, ["a", "b"], attempt=2))
    (third,) = await works.send(works.page(1, ["a", "new-shape b"], attempt=3))
    assert [first.quarantined, second.quarantined, third.quarantined] == [1, 1, 2]
    works.source.unknown = ""
    report = await quarantine.replay(ALL)
    assert (report.pages, report.replayed, report.still_open) == (2, 2, 0)
    results = await works.receive(2)
    assert {item.native_id for result in results for item in result.items} == {"a", "new-shape gone", "new-shape b"}
    assert [result.quarantined for result in results] == [1, 0]


async def test_signs_that_no_database_takes_stop_no_page(works: Any, quarantine: QuarantineService) -> None:
    strange = Rejected(path="$.a\x00b", reason="nul\x00", native_id="9" * 400, raw=b"{}", shape="{\x00\ud800}")
    works.source.parse = lambda page: Parsed(items=[], authors=[], rejected=[strange])
    for _ in range(2):
        (result,) = await works.send(works.page(1, ["a"]))
        assert result.quarantined == 1
    ((_, path, state),) = await records(quarantine)
    assert (path, state) == ("$.a\ufffdb", "open")


async def test_one_record_is_replayed_or_dismissed(works: Any, quarantine: QuarantineService) -> None:
    await works.send(works.page(1, ["new-shape"]), works.page(2, ["new-shape"]))
    found, total = await quarantine.find(RecordFilter(state="open"), PageQuery())
    assert total == 2
    newest, oldest = found
    assert (await quarantine.replay_one(oldest.id, LOCAL_ADMIN)).state == "open"
    works.source.unknown = ""
    assert (await quarantine.replay_one(oldest.id, LOCAL_ADMIN)).state == "replayed"
    assert (await quarantine.dismiss(newest.id, LOCAL_ADMIN)).state == "dismissed"
    for record in (newest, oldest):
        with pytest.raises(RecordClosed):
            await quarantine.replay_one(record.id, Caller("owner-1", frozenset({"analyst"}), "token"))
    with pytest.raises(RecordClosed):
        await quarantine.dismiss(oldest.id, LOCAL_ADMIN)


async def test_parsers_count_what_they_read(works: Any, quarantine: QuarantineService) -> None:
    await works.send(works.page(1, ["a", "new-shape"]), works.page(2, ["b", "c"]))
    works.source.parser_version = "toy-2"
    await works.send(works.page(3, ["d"]))
    counted = {row.version: (row.pages, row.items, row.rejected) for row in await quarantine.parsers()}
    assert counted == {"toy-1": (2, 3, 1), "toy-2": (1, 1, 0)}


async def test_a_message_that_is_no_page_goes_to_the_dead_letters(works: Any) -> None:
    await works.log.publish([Message(PAGES, "e1", b"[]")])
    (result,) = await works.send(works.page(1, ["a"]))
    assert len(result.items) == 1
    async with works.log.consumer("test-dlq", [PAGES + ".dlq"]) as consumer:
        assert len(await consumer.poll(timeout=60)) == 1


class _Breaking:
    """Fails `breaks` times at what it wraps, before or after the work."""

    def __init__(self, inner: Any, breaks: int, *, after: bool) -> None:
        self._inner = inner
        self._breaks = breaks
        self._after = after

    async def read(self, pages: Sequence[Any]) -> Any:
        return await self._break(self._inner.read, pages)

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._break(self._inner.publish, messages)

    async def _break(self, call: Any, arguments: Any) -> Any:
        self._breaks -= 1
        if self._breaks >= 0 and not self._after:
            raise Unavailable("Broken before.")
        found = await call(arguments)
        if self._breaks >= 0:
            raise Unavailable("Broken after.")
        return found


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("part", ["read", "publish"])
async def test_a_crash_between_two_steps_loses_and_doubles_nothing(
    works: Any, quarantine: QuarantineService, part: str, after: bool
) -> None:
    parser, store = quarantine._parser, quarantine._store
    freezing = FreezeService(store, parser, SystemClock(), FreezeRules())
    reading: Any = ReadingService(
        store=store,
        parser=parser,
        quarantine=quarantine,
        freezing=freezing,
        drift=DriftService(store, parser, SystemClock(), DriftRules()),
        metrics=ParserMetrics(Registry()),
    )
    reading = _Breaking(reading, 2, after=after) if part == "read" else reading
    log: Any = _Breaking(works.log, 2, after=after) if part == "publish" else works.log
    handler = on_page_collected(reading, log, RESULTS, SystemClock())
    seen: list[Record] = []

    async def handle(batch: list[Record]) -> None:
        await handler(batch)
        seen.extend(batch)

    pages = [works.page(n, [f"item {n}", "new-shape"], execution_id="e9") for n in range(1, 7)]
    stop = asyncio.Event()
    runner = ConsumerRunner(works.log, "breaking", [PAGES], handle, batch=2, backoff=0.001)
    running = asyncio.create_task(runner.run(stop))
    results: list[PageParsed] = await works.send(*pages)

    async def done() -> bool:
        return len(seen) == 6

    await works.until(done)
    stop.set()
    await running
    assert {result.page_no for result in results} <= set(range(1, 7))
    assert await records(quarantine) == [(n, "$[1]", "open") for n in range(1, 7)]


def test_migrations_make_the_tables_of_the_models(tmp_path: Any) -> None:
    assert_tables_match("xget_processing", Base.metadata, tmp_path)
