"""The runner: batches, retries, dead letters, fencing, clean stops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from xget_events.errors import PoisonMessage
from xget_events.failures import is_infrastructure
from xget_events.log import Record, TopicSpec
from xget_events.runner import ConsumerRunner, Handler
from xget_events.sqlite import SqliteEventLog
from xget_events.sqlite.consumer import SqliteConsumer
from xget_kernel.errors import Conflict, Full, Unavailable
from xget_kernel.messages import Message
from xget_telemetry.metrics import Registry
from xget_testing.contracts.event_log import LogHouse

TOPIC = "xget.pages"
PATIENCE = 60.0


class Desk:
    """A handler that notes what it is given and fails when `rule` says so."""

    def __init__(self, rule: Callable[[list[Record]], Exception | None] = lambda records: None) -> None:
        self.rule = rule
        self.batches: list[list[str]] = []
        self.done: list[str] = []

    async def __call__(self, records: list[Record]) -> None:
        bodies = [record.value.decode() for record in records]
        self.batches.append(bodies)
        error = self.rule(records)
        if error is not None:
            raise error
        self.done += bodies


@pytest.fixture
async def topic(event_log: SqliteEventLog) -> SqliteEventLog:
    await event_log.create_topics([TopicSpec(TOPIC)])
    return event_log


async def send(log: SqliteEventLog, *bodies: str) -> None:
    await log.publish([Message(TOPIC, "k", body.encode(), {"ce_id": body}) for body in bodies])


@asynccontextmanager
async def running(
    log: SqliteEventLog, handler: Handler, *, dlq: bool = True, registry: Registry | None = None
) -> AsyncIterator[asyncio.Event]:
    """A runner that is stopped cleanly at the end."""
    stop = asyncio.Event()
    runner = ConsumerRunner(log, "g", [TOPIC], handler, dlq=dlq, backoff=0.01, max_backoff=0.02, registry=registry)
    task = asyncio.create_task(runner.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what a handler noted has no event
            await asyncio.sleep(0.005)


async def caught_up(log: SqliteEventLog, lag: int = 0) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await log.lag("g")).get(TOPIC) != lag:  # noqa: ASYNC110 - the group's offsets have no event
            await asyncio.sleep(0.005)


async def letters(log: SqliteEventLog) -> list[Record]:
    async with log.consumer("menders", [TOPIC + ".dlq"]) as consumer:
        return await consumer.poll(timeout=0.1)


async def test_batches_are_handled_in_order_and_committed(topic: SqliteEventLog) -> None:
    desk = Desk()
    await send(topic, "1", "2", "3")
    async with running(topic, desk):
        await caught_up(topic)
        await send(topic, "4")
        await until(lambda: len(desk.done) == 4)
    assert desk.batches == [["1", "2", "3"], ["4"]]
    assert await topic.lag("g") == {TOPIC: 0}


async def test_a_failing_batch_is_tried_again_and_passes(topic: SqliteEventLog) -> None:
    desk = Desk()
    desk.rule = lambda records: RuntimeError("not yet") if len(desk.batches) < 3 else None
    await send(topic, "1", "2")
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.batches == [["1", "2"]] * 3
    assert await letters(topic) == []


async def test_a_record_that_always_fails_goes_to_the_dead_letters_alone(topic: SqliteEventLog) -> None:
    desk = Desk(lambda records: ValueError("bad 2") if any(record.value == b"2" for record in records) else None)
    await send(topic, "1", "2", "3")
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.done == ["1", "3"]
    (letter,) = await letters(topic)
    assert (letter.key, letter.value) == ("k", b"2")
    assert letter.headers["xget-reason"] == "ValueError: bad 2"
    assert letter.headers["ce_id"] == "2"
    assert (letter.headers["xget-group"], letter.headers["xget-topic"]) == ("g", TOPIC)
    assert (letter.headers["xget-partition"], letter.headers["xget-offset"]) == ("0", "1")


async def test_named_poison_goes_straight_to_the_dead_letters(topic: SqliteEventLog) -> None:
    def rule(records: list[Record]) -> Exception | None:
        bad = [record for record in records if record.value in (b"2", b"4")]
        return PoisonMessage("does not decode", bad[0]) if bad else None

    desk = Desk(rule)
    await send(topic, "1", "2", "3", "4")
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.batches == [["1", "2", "3", "4"], ["1", "3", "4"], ["1", "3"]]
    assert [letter.headers["xget-reason"] for letter in await letters(topic)] == ["does not decode"] * 2


async def test_unnamed_poison_is_found_by_taking_the_batch_apart(topic: SqliteEventLog) -> None:
    desk = Desk(lambda records: PoisonMessage("no") if any(record.value == b"2" for record in records) else None)
    await send(topic, "1", "2", "3")
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.batches == [["1", "2", "3"], ["1"], ["2"], ["3"]]
    assert [letter.value for letter in await letters(topic)] == [b"2"]


@pytest.mark.parametrize(
    "error",
    [Unavailable("away"), Full("no room"), ConnectionResetError("gone"), sqlite3.OperationalError("locked")],
    ids=lambda error: type(error).__name__,
)
async def test_failing_infrastructure_is_never_blamed_on_a_record(topic: SqliteEventLog, error: Exception) -> None:
    desk = Desk()
    desk.rule = lambda records: error if len(desk.batches) < 8 else None
    await send(topic, "1")
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.batches == [["1"]] * 8
    assert await letters(topic) == []


async def test_without_dead_letters_a_record_is_tried_for_ever(topic: SqliteEventLog) -> None:
    desk = Desk(lambda records: PoisonMessage("no"))
    await send(topic, "1")
    async with running(topic, desk, dlq=False):
        await until(lambda: len(desk.batches) > 10)
    assert await topic.lag("g") == {TOPIC: 1}
    assert await letters(topic) == []


async def test_a_stop_finishes_and_commits_the_batch_in_hand(topic: SqliteEventLog) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def handler(records: list[Record]) -> None:
        began.set()
        await go_on.wait()

    await send(topic, "1")
    async with running(topic, handler) as stop:
        await began.wait()
        stop.set()
        await send(topic, "2")
        go_on.set()
    assert await topic.lag("g") == {TOPIC: 1}


async def test_a_stop_while_idle_does_not_wait_for_the_poll(
    topic: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteConsumer.poll, "__defaults__", (500, 10 * PATIENCE))
    async with running(topic, Desk()):
        await until(lambda: any(consumer.waiting for consumer in topic._consumers()))


async def test_a_stop_during_retries_leaves_the_batch_for_the_next(topic: SqliteEventLog) -> None:
    desk = Desk(lambda records: Unavailable("away"))
    await send(topic, "1")
    async with running(topic, desk):
        await until(lambda: len(desk.batches) > 2)
    desk.rule = lambda records: None
    async with running(topic, desk):
        await caught_up(topic)
    assert desk.done == ["1"]


async def test_a_batch_whose_commit_is_fenced_goes_to_the_new_owner(topic: SqliteEventLog, house: LogHouse) -> None:
    other = await house.open()
    again: list[Record] = []

    async def handler(records: list[Record]) -> None:
        if not again:
            await house.lapse()
            async with other.consumer("g", [TOPIC]) as successor:
                again.extend(await successor.poll())

    registry = Registry()
    await send(topic, "1")
    async with running(topic, handler, registry=registry):
        await until(lambda: b'xget_events_fenced_total{group="g"} 1.0' in registry.render())
        await house.breathe()
        await send(topic, "2")
        await caught_up(topic)
    assert [record.value for record in again] == [b"1"]


async def test_the_runner_counts_what_it_does(topic: SqliteEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_events.runner.LAG_SECONDS", PATIENCE)  # the lag is read once here
    registry = Registry()
    desk = Desk(lambda records: PoisonMessage("no", records[0]) if records[0].value == b"1" else None)
    await send(topic, "1", "2", "3")
    async with running(topic, desk, registry=registry):
        await caught_up(topic)
    text = registry.render().decode()
    assert 'xget_events_handled_total{group="g",topic="xget.pages"} 3.0' in text
    assert 'xget_events_dlq_total{group="g",topic="xget.pages"} 1.0' in text
    assert 'xget_events_lag_records{group="g",partition="0",topic="xget.pages"}' in text


def test_infrastructure_is_found_inside_of_groups_and_wrappers() -> None:
    wrapped = RuntimeError("wrapped")
    wrapped.orig = sqlite3.OperationalError("database is locked")  # type: ignore[attr-defined] # as SQLAlchemy does
    assert is_infrastructure(ExceptionGroup("many", [ValueError(), Unavailable("away")]))
    assert is_infrastructure(wrapped)
    assert not is_infrastructure(Conflict("taken"))
