"""Hard messages and long queues through the runner, the same on both logs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from xget_events import codec
from xget_events.errors import Fenced, MessageTooLarge
from xget_events.log import EventLog, Record, TopicSpec
from xget_events.runner import ConsumerRunner
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import LogHouse, drain, messages
from xget_testing.contracts.event_log.house import numbers

TOPIC = "xget.pages"
ENGINES = ["sqlite", pytest.param("kafka", marks=[pytest.mark.connected("kafka"), pytest.mark.slow])]


class Page(msgspec.Struct):
    """A body of today."""

    number: int


class PageOfTomorrow(msgspec.Struct):
    """The same with a field that nobody knows yet."""

    number: int
    colour: str = "green"


@pytest.fixture(params=ENGINES)
def any_house(request: pytest.FixtureRequest) -> LogHouse:
    house: LogHouse = request.getfixturevalue("house" if request.param == "sqlite" else "kafka_house")
    return house


@pytest.fixture
async def log(any_house: LogHouse) -> AsyncIterator[EventLog]:
    log = await any_house.open()
    await log.create_topics([TopicSpec(TOPIC, 3)])
    yield log
    await log.close()


@asynccontextmanager
async def running(log: EventLog, handler: Callable[[list[Record]], Awaitable[None]]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    runner = ConsumerRunner(log, "g", [TOPIC], handler, backoff=0.01, max_backoff=0.02)
    task = asyncio.create_task(runner.run(stop))
    try:
        yield
        async with asyncio.timeout(240):
            while (await log.lag("g")).get(TOPIC) != 0:  # noqa: ASYNC110 - the group's offsets have no event
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await task


async def letters(log: EventLog, count: int) -> list[Record]:
    async with log.consumer("menders", [TOPIC + ".dlq"]) as consumer:
        return await drain(consumer, count)


async def test_what_cannot_be_read_goes_aside_and_the_rest_passes(log: EventLog) -> None:
    """Poison of every kind in one batch: no JSON, another body, the version of a later release."""
    done: list[int] = []

    async def handle(records: list[Record]) -> None:
        done.extend(page.number for page in [codec.decode(record, Page) for record in records])

    good = [Message(TOPIC, f"k{n}", codec.encode(Page(n))) for n in range(20)]
    later = Message(TOPIC, "k1", codec.encode(Page(99)), {codec.VERSION_HEADER: "2"})
    newer = Message(TOPIC, "k2", codec.encode(PageOfTomorrow(20)))
    bad = [Message(TOPIC, "k3", b"\xff\x00"), Message(TOPIC, "k4", b'{"number": "x"}'), later]
    await log.publish([*good[:10], *bad, newer, *good[10:]])
    async with running(log, handle):
        pass
    assert sorted(done) == list(range(21))
    reasons = sorted(record.headers["xget-reason"] for record in await letters(log, 3))
    assert "reads 1: upgrade it, then replay" in reasons[2]
    assert reasons[0].startswith("The body is no Page")
    assert reasons[1].startswith("The body is no Page")


async def test_an_oversized_message_is_refused_and_stops_nothing(log: EventLog) -> None:
    with pytest.raises(MessageTooLarge, match="at most 16 MB"):
        await log.publish([Message(TOPIC, "k", bytes((16 << 20) + 1))])
    await log.publish(messages(TOPIC, "abc"))
    async with log.consumer("g", [TOPIC]) as consumer:
        assert sorted(numbers(await drain(consumer, 3))) == [0, 1, 2]


async def test_the_largest_dead_letter_fits(log: EventLog) -> None:
    async def handle(records: list[Record]) -> None:
        raise ValueError("x" * 5000)

    await log.publish([Message(TOPIC, "k", bytes(16 << 20), {"ce_id": "1"})])
    async with running(log, handle):
        pass
    (letter,) = await letters(log, 1)
    assert len(letter.value) == 16 << 20


@pytest.mark.parametrize("skew", [300, -300])
async def test_a_sender_with_a_wrong_clock(log: EventLog, skew: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order and delivery come from the log's offsets: times are for people."""
    await log.publish(messages(TOPIC, ["k"] * 5))
    right = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: right() + skew)
        await log.publish(messages(TOPIC, ["k"] * 5, start=5))
    await log.publish(messages(TOPIC, ["k"] * 5, start=10))
    async with log.consumer("g", [TOPIC]) as consumer:
        assert numbers(await drain(consumer, 15)) == list(range(15))


async def test_members_whose_clocks_differ_by_ten_minutes_lose_nothing(tmp_path: Path) -> None:
    """On one machine clocks do not differ, but they are set; leases on the file are by the wall clock."""
    logs = []
    for skew in (-300, 300):
        clock = ManualClock()
        clock.advance(1000 + skew)
        logs.append(SqliteEventLog(tmp_path / "events.db", clock=clock, lease_seconds=1.0))
    await logs[0].create_topics([TopicSpec(TOPIC, 3)])
    await logs[0].publish(messages(TOPIC, [f"k{n}" for n in range(300)]))
    members = [log.consumer("g", [TOPIC]) for log in logs]
    seen: set[int] = set()
    async with asyncio.timeout(60):
        while len(seen) < 300 or (await logs[0].lag("g"))[TOPIC]:
            for member in members:
                records = await member.poll(20, timeout=0.05)
                seen.update(numbers(records))
                try:
                    await member.commit(records)
                except Fenced:
                    continue
    assert seen == set(range(300))
    for log in logs:
        await log.close()


@pytest.mark.slow
async def test_a_backlog_of_100_000_messages_drains_in_flat_memory(log: EventLog) -> None:
    total, seen, sizes = 100_000, 0, []

    async def handle(records: list[Record]) -> None:
        nonlocal seen
        seen += len(records)
        if seen // 20_000 != (seen - len(records)) // 20_000:
            gc.collect()
            sizes.append(resident_mb())

    body = b'{"number": 1, "text": "' + b"x" * 200 + b'"}'
    for start in range(0, total, 2000):
        await log.publish([Message(TOPIC, f"k{n % 97}", body) for n in range(start, start + 2000)])
    async with running(log, handle):
        pass
    assert seen == total
    assert max(sizes[1:]) - sizes[1] < 15.0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6
