"""A parser that rejects too much is frozen: its pages wait, those of others go on, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from xget_contracts.events import PAGES, PARSER_EVENTS, ParserChanged
from xget_events import codec
from xget_kernel.clock import SystemClock
from xget_kernel.ids import new_id
from xget_processing.models import FROZEN, READING
from xget_processing.service.freezing import version_order
from xget_processing.worker import create_worker
from xget_testing.database import everything_in

LIMIT = 10
"""Pages that freeze a parser by default."""


async def publish(works: Any, *pages: Any) -> None:
    now = SystemClock().now()
    await works.log.publish([codec.message(PAGES, p.execution_id, p, source="test", now=now) for p in pages])


async def tables(works: Any) -> dict[str, Any]:
    return await asyncio.to_thread(everything_in, works.settings.tables_url)


async def states(works: Any) -> dict[str, str]:
    return {row[1]: row[3] for row in (await tables(works))["parsers"]}


async def told(works: Any, count: int) -> list[ParserChanged]:
    """What was announced of parsers so far, from the beginning."""
    found: list[ParserChanged] = []
    async with works.log.consumer(new_id(), [PARSER_EVENTS]) as consumer, asyncio.timeout(60):
        while len(found) < count:
            found += [codec.decode(record, ParserChanged) for record in await consumer.poll()]
    return found


async def freeze(works: Any) -> None:
    """Let the toy parser meet nothing but what it cannot read."""
    await works.send(*(works.page(n, ["new-shape"]) for n in range(1, LIMIT + 1)))
    assert (await states(works))["Toys"] == FROZEN


@asynccontextmanager
async def another(works: Any, **fields: Any) -> AsyncIterator[None]:
    """A worker with a parser of its own: beside the first on PostgreSQL, after it on files, which are for one."""
    if works.settings.tables_url.startswith("sqlite"):
        await works.end()
    source = type(works.source)()
    for name, value in fields.items():
        setattr(source, name, value)
    stop = asyncio.Event()
    work = asyncio.create_task(create_worker(works.settings, log=works.log, sources={source.route: source}).run(stop))
    yield
    stop.set()
    await work


async def settled(works: Any, state: str = READING) -> None:
    async def holds() -> bool:
        return (await states(works))["Toys"] == state and not (await tables(works))["frozen_pages"]

    await works.until(holds)


async def test_pages_of_a_frozen_parser_wait_and_those_of_others_go_on(works: Any) -> None:
    await freeze(works)
    await publish(works, *(works.page(n, [f"text {n}"], execution_id="e2") for n in (1, 2, 3)))
    (other,) = await works.send(works.page(1, ["other"], operation="Others", execution_id="e3"))
    assert other.execution_id == "e3"
    await works.until(lambda: waiting(works, 3))
    (change,) = await told(works, 1)
    assert (change.parser, change.state, change.version, change.by) == ("toy:Toys", "frozen", "toy-1", "rate")
    assert (change.pages, change.rate) == (LIMIT, 1.0)


async def waiting(works: Any, count: int) -> bool:
    return len((await tables(works))["frozen_pages"]) == count


async def test_one_bad_post_of_three_does_not_freeze(works: Any) -> None:
    await works.send(*(works.page(n, ["a", "b", "new-shape"]) for n in range(1, 41)))
    await works.send(*(works.page(n, ["new-shape"], operation="Few") for n in range(1, LIMIT)))
    assert await states(works) == {"Toys": READING, "Few": READING}


async def test_pages_without_records_say_nothing(works: Any) -> None:
    await works.send(*(works.page(n, []) for n in range(1, 30)))
    await freeze(works)


async def test_a_newer_parser_reads_what_waited_in_the_order_of_the_run(works: Any) -> None:
    await freeze(works)
    texts = [works.page(n, [f"new-shape {n}"], execution_id="e2", attempt=1) for n in range(1, 41)]
    await publish(works, *texts, *texts[:5])
    await works.until(lambda: waiting(works, 40))
    async with another(works, parser_version="toy-10", unknown=""):
        results = await works.receive(40)
        await settled(works)
        (after,) = await works.send(works.page(41, ["later"], execution_id="e2"))
    assert [(result.page_no, result.quarantined, result.attempt) for result in results] == [
        (n, 0, 1) for n in range(1, 41)
    ]
    assert {result.parser_version for result in results} == {"toy-10"}
    assert after.page_no == 41
    changes = [(change.state, change.by, change.version) for change in await told(works, 3)]
    assert changes == [("frozen", "rate", "toy-1"), ("thawing", "version", "toy-10"), ("reading", "version", "toy-10")]


async def test_neither_the_same_nor_an_older_parser_thaws(works: Any) -> None:
    works.source.parser_version = "toy-9"
    await freeze(works)
    await publish(works, works.page(1, ["a"], execution_id="e2"))
    await works.until(lambda: waiting(works, 1))
    for version in ("toy-1", "toy-9"):
        async with another(works, parser_version=version, unknown=""):
            await asyncio.sleep(0.2)
            assert await waiting(works, 1)
    assert (await states(works))["Toys"] == FROZEN


async def test_a_newer_parser_that_fails_too_is_frozen_again_and_the_rest_waits_on(works: Any) -> None:
    await freeze(works)
    await publish(works, *(works.page(n, ["new-shape"], execution_id="e2") for n in range(1, 61)))
    await works.until(lambda: waiting(works, 60))
    async with another(works, parser_version="toy-2"):
        await told(works, 3)
    changes = [(change.state, change.version) for change in await told(works, 3)]
    assert changes == [("frozen", "toy-1"), ("thawing", "toy-2"), ("frozen", "toy-2")]
    rest = len((await tables(works))["frozen_pages"])
    assert 0 < rest < 60
    async with another(works, parser_version="toy-3", unknown=""):
        results = await works.receive(60)
        await settled(works)
    assert sorted(result.page_no for result in results) == list(range(1, 61))


async def test_a_worker_says_what_is_frozen_and_what_waits(works: Any) -> None:
    await freeze(works)
    await publish(works, works.page(1, ["a"], execution_id="e2"))
    await works.until(lambda: waiting(works, 1))

    async def shown() -> bool:
        text = (await works.metrics.scrape()).decode()
        return all(
            line in text
            for line in (
                'xget_processing_parser_frozen{parser="toy:Toys"} 1.0',
                'xget_processing_waiting_pages{parser="toy:Toys"} 1.0',
            )
        )

    await works.until(shown)


async def test_a_source_that_is_installed_later_reads_what_waited(works: Any) -> None:
    pages = [works.page(n, ["a"], route="later", execution_id="e4") for n in range(1, LIMIT + 6)]
    await works.send(*pages[:LIMIT])
    await publish(works, *pages[LIMIT:])
    await works.until(lambda: waiting(works, 5))
    assert (await states(works))["Toys"] == FROZEN
    async with another(works, route="later"):
        results = await works.receive(5)
    assert [len(result.items) for result in results] == [1] * 5


@pytest.mark.parametrize(
    ("older", "newer"), [("x-1", "x-2"), ("x-9", "x-10"), ("x-1", "x-1.1"), ("none", "x-1"), ("2026.9", "2026.11")]
)
def test_versions_are_ordered_by_their_numbers(older: str, newer: str) -> None:
    assert version_order(older) < version_order(newer)
    assert not version_order(newer) < version_order(older)
