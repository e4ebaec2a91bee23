"""A message that the log will never take stands aside, and keeps nobody from being sent."""

import pytest
from sqlalchemy import func, select

from xget_db.outbox import Aside, Outbox, OutboxRelay
from xget_kernel.clock import SystemClock
from xget_kernel.errors import TooLarge, Unavailable


class Narrow:
    """A log that refuses what is longer than `most` bytes, wherever it stands among others."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.away = False
        self.numbers: list[int] = []

    async def publish(self, messages):
        if self.away:
            raise Unavailable("The log is away: try again.")
        if any(len(message.value) > self.most for message in messages):
            raise TooLarge("A message is too large for xget.made: at most 1 MB.")
        assert not any("xget-refused" in message.headers for message in messages)
        self.numbers += [int(message.value.split(b":")[1].rstrip(b"}")) for message in messages]


@pytest.fixture
def log() -> Narrow:
    return Narrow(len(b'{"number":999}'))


@pytest.fixture
def emit(db, sample):
    async def emit(*numbers: int, key: str = "k") -> None:
        async with db.transaction() as session:
            for number in numbers:
                Outbox(session).emit("xget.made", key, sample.Made(number))

    return emit


@pytest.fixture
def relay(db, sample, log) -> OutboxRelay:
    return OutboxRelay(db, sample.outbox, log, SystemClock())


async def test_the_rest_flows_in_order_and_the_reason_is_kept(db, sample, log, emit, relay):
    await emit(1, 2, 5000, 3, 6000, 4)
    await emit(7, key="other")
    assert await relay.drain() == 7
    assert [number for number in log.numbers if number != 7] == [1, 2, 3, 4]
    assert 7 in log.numbers
    assert (await relay.waiting(), await relay.refused(), await relay.oldest()) == (0, 2, None)
    async with db.read() as session:
        (first, second) = await Aside(sample.outbox).oldest(session)
    assert first[1:] == second[1:] == ("xget.made", "A message is too large for xget.made: at most 1 MB.")
    await emit(8)
    assert await relay.drain() == 1
    assert log.numbers[-1] == 8


async def test_a_new_start_tries_them_again_with_the_headers_that_they_had(db, sample, log, emit, relay):
    await emit(5000)
    await relay.drain()
    async with db.read() as session:
        (kept,) = await session.scalars(select(sample.outbox.c.headers))
    assert kept["ce_type"] == "xget.TaskMade"
    log.most = 100
    await emit(1)
    assert await relay.drain() == 1
    async with db.transaction() as session:
        assert await Aside(sample.outbox).take_back(session) == 1
    assert await relay.drain() == 1
    assert log.numbers == [1, 5000]
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(sample.outbox)) == 0


async def test_a_log_that_is_away_refuses_nothing(log, emit, relay):
    await emit(5000, 1)
    log.away = True
    with pytest.raises(Unavailable):
        await relay.drain()
    assert (await relay.waiting(), await relay.refused()) == (2, 0)
