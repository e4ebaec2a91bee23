import asyncio
from collections import Counter

import msgspec
import pytest
from sqlalchemy import select

from xget_db.engine import Database
from xget_db.outbox import Outbox, OutboxRelay
from xget_kernel.clock import ManualClock, SystemClock
from xget_kernel.errors import Unavailable
from xget_testing.database import created


class MemoryLog:
    """A log that keeps what it is given, and can be away."""

    def __init__(self) -> None:
        self.messages = []
        self.away = 0
        self.asked = 0

    async def publish(self, messages):
        self.asked += 1
        if self.away:
            self.away -= 1
            raise Unavailable("The log is away: try again.")
        self.messages.extend(messages)

    def numbers(self, key=None):
        return [msgspec.json.decode(m.value)["number"] for m in self.messages if key in (None, m.key)]


@pytest.fixture
def log():
    return MemoryLog()


@pytest.fixture
def emit(db, sample):
    async def emit(*numbers, key="k", database=None):
        async with (database or db).transaction() as session:
            for number in numbers:
                Outbox(session).emit("xget.made", key, sample.Made(number))

    return emit


def relay_of(db, sample, log, clock=None) -> OutboxRelay:
    return OutboxRelay(db, sample.outbox, log, clock or SystemClock())


async def until(condition, seconds=60.0):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - waits for code that knows nothing of its being watched
            await asyncio.sleep(0.001)


def counted(relay: OutboxRelay, monkeypatch) -> Counter:
    """How often the relay has begun to look for rows."""
    looks, look = Counter(), relay.drain

    async def looked():
        looks["drain"] += 1
        return await look()

    monkeypatch.setattr(relay, "drain", looked)
    return looks


class Running:
    """A relay that runs within the block."""

    def __init__(self, relay: OutboxRelay) -> None:
        self.relay, self.stop = relay, asyncio.Event()

    async def __aenter__(self):
        self.task = asyncio.create_task(self.relay.run(self.stop))
        await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *_exc):
        self.stop.set()
        async with asyncio.timeout(60):
            await self.task


async def test_what_is_committed_is_sent_and_its_row_is_gone(db, sample, log, emit):
    await emit(1, 2)
    relay = relay_of(db, sample, log)
    assert await relay.waiting() == 2
    assert await relay.drain() == 2
    assert await relay.waiting() == 0
    (first, _) = log.messages
    assert (first.topic, first.key, first.value) == ("xget.made", "k", b'{"number":1}')
    assert first.headers["ce_type"] == "xget.TaskMade"
    assert {"ce_id", "ce_time", "ce_source", "ce_specversion"} <= set(first.headers)


async def test_what_is_rolled_back_is_never_sent(db, sample, log):
    async def fail():
        async with db.transaction() as session:
            session.add(sample.Task(id="a", name="x"))
            Outbox(session).emit("xget.made", "k", sample.Made(1))
            await session.flush()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()
    async with db.read() as session:
        assert (await session.execute(select(sample.Task.id))).all() == []
    assert await relay_of(db, sample, log).drain() == 0


async def test_a_rolled_back_savepoint_takes_only_its_own_events_along(db, sample, log):
    async with db.transaction() as session:
        outbox = Outbox(session)
        outbox.emit("xget.made", "k", sample.Made(1))
        outer = await session.begin_nested()
        outbox.emit("xget.made", "k", sample.Made(2))
        async with session.begin_nested():
            outbox.emit("xget.made", "k", sample.Made(3))
        await outer.rollback()
        async with session.begin_nested():
            outbox.emit("xget.made", "k", sample.Made(4))
        outbox.emit("xget.made", "k", sample.Made(5))
    await relay_of(db, sample, log).drain()
    assert log.numbers() == [1, 4, 5]


async def test_a_session_that_is_used_again_sends_each_event_once(db, sample, log):
    async with db.sessions() as session:
        Outbox(session).emit("xget.made", "k", sample.Made(1))
        await session.rollback()
        Outbox(session).emit("xget.made", "k", sample.Made(2))
        await session.commit()
        await session.commit()
    await relay_of(db, sample, log).drain()
    assert log.numbers() == [2]


async def test_headers_of_the_sender_win(db, sample, log):
    async with db.transaction() as session:
        outbox = Outbox(session, sample.outbox, source="scraper", clock=ManualClock())
        outbox.emit("t", "k", sample.Made(1), {"traceparent": "00-a", "ce_id": "mine"})
    await relay_of(db, sample, log).drain()
    headers = log.messages[0].headers
    assert (headers["ce_id"], headers["traceparent"], headers["ce_source"]) == ("mine", "00-a", "/xget/scraper")
    assert headers["ce_time"] == "2026-01-01T00:00:00Z"


async def test_a_running_relay_hears_of_a_commit_at_once(db, sample, log, emit):
    async with Running(relay_of(db, sample, log, ManualClock())):  # its clock stands: only the bell can wake it
        await emit(1)
        await until(lambda: log.numbers() == [1])
        await emit(2)
        await until(lambda: log.numbers() == [1, 2])


async def test_a_commit_through_another_database_object_of_the_process_wakes_it_too(db, sample, log, emit):
    api = Database(db.url)
    async with Running(relay_of(db, sample, log, ManualClock())):
        await emit(1, database=api)
        await until(lambda: log.numbers() == [1])
    await api.close()


async def test_rows_of_other_processes_are_found_within_a_second(db, sample, log, monkeypatch):
    clock = ManualClock()
    relay = relay_of(db, sample, log, clock)
    looks = counted(relay, monkeypatch)
    async with Running(relay):
        begun = 2 if db.dialect == "postgresql" else 1  # there it looks again when it begins to hear of others
        await until(lambda: looks["drain"] == begun and clock.sleepers == 1)
        async with db.engine.begin() as connection:  # no session, no bell: as if another process had written it
            row = {"topic": "t", "key": "k", "value": b'{"number":1}', "headers": {}, "created_at": clock.now()}
            await connection.execute(sample.outbox.insert().values(row))
        await asyncio.sleep(0.05)
        assert log.numbers() == []
        clock.advance(1)
        await until(lambda: log.numbers() == [1])


async def test_a_relay_with_nothing_to_do_does_not_poll(db, sample, log, monkeypatch):
    relay = relay_of(db, sample, log, ManualClock())
    looks = counted(relay, monkeypatch)
    async with Running(relay):
        await asyncio.sleep(0.1)
        assert looks["drain"] <= 2, "once as it begins, and once when it hears of other processes"


async def test_a_log_that_is_away_is_asked_again_after_a_growing_pause(db, sample, log, emit):
    clock = ManualClock()
    log.away = 4
    await emit(1, 2)
    async with Running(relay_of(db, sample, log, clock)):
        for pause in (0.1, 0.2, 0.4, 0.8):
            await until(lambda: clock.sleepers == 1)
            asked = log.asked
            await emit(3)  # news do not shorten the pause
            await asyncio.sleep(0.02)
            assert log.asked == asked
            clock.advance(pause)
            await until(lambda asked=asked: log.asked > asked)
        await until(lambda: len(log.messages) == 6)
    assert log.numbers() == [1, 2, 3, 3, 3, 3]


async def test_stopping_does_not_wait_for_a_log_that_is_away(db, sample, log, emit):
    log.away = 10**9
    await emit(1)
    async with Running(relay_of(db, sample, log, ManualClock())):
        await until(lambda: log.asked == 1)


async def test_a_crash_between_publishing_and_deleting_repeats_and_does_not_lose(db, sample, log, emit):
    class Killed(MemoryLog):
        async def publish(self, messages):
            await log.publish(messages)
            raise SystemError("killed")

    await emit(1, 2)
    with pytest.raises(SystemError):
        await relay_of(db, sample, Killed()).drain()
    await emit(3)
    await relay_of(db, sample, log).drain()
    assert log.numbers() == [1, 2, 1, 2, 3]
    ids = [message.headers["ce_id"] for message in log.messages]
    assert ids[:2] == ids[2:4]


async def test_order_per_key_is_the_order_of_the_commits(db, sample, log):
    async def write(key):
        for number in range(20):
            async with db.transaction() as session:
                Outbox(session).emit("t", key, sample.Made(number))

    async with Running(relay_of(db, sample, log)):
        await asyncio.gather(*(write(f"k{n}") for n in range(5)))
        await until(lambda: len(log.messages) == 100)
    assert all(log.numbers(f"k{n}") == list(range(20)) for n in range(5))


async def test_many_rows_go_in_batches(db, sample, log, emit):
    await emit(*range(1201))
    assert await relay_of(db, sample, log).drain() == 1201
    assert log.numbers() == list(range(1201))
    assert log.asked == 3


@pytest.mark.parametrize("moment", range(0, 40, 2))
async def test_a_cancelled_relay_ends_at_whatever_moment(db, sample, moment: int) -> None:
    relay = relay_of(db, sample, MemoryLog())
    running = asyncio.create_task(relay.run(asyncio.Event()))
    await asyncio.sleep(0.05)
    relay.wake()
    for _ in range(moment):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=60)
    assert done, "the cancellation was swallowed"


def test_who_rings_after_the_relays_loop_has_closed_hears_nothing_of_it(path, sample):
    async def run() -> OutboxRelay:
        async with created(sample.metadata, path) as db:
            relay = relay_of(db, sample, MemoryLog())
            async with Running(relay):
                return relay

    asyncio.run(run()).wake()
