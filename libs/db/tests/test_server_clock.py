"""The database server's time: followed from skewed machines, through jumps, pauses and silence."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from xget_db.clock import REFRESH_SECONDS, Ask, ServerClock, time_of
from xget_db.engine import Database
from xget_kernel.clock import ManualClock, SystemClock
from xget_kernel.errors import Unavailable

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
OFF = timedelta(seconds=0.5)
"""Half of the fastest of five trips to a server on this machine, twice, at its worst."""


class Machine(ManualClock):
    """A machine whose wall clock can be set."""

    error = timedelta()

    def now(self) -> datetime:
        return super().now() + self.error


class FakeServer:
    """Tells its time after a trip over the network of `machine`."""

    def __init__(self, machine: Machine, ahead: timedelta = timedelta()) -> None:
        self.machine, self.ahead = machine, ahead
        self.trips = [0.0]
        self.away = False
        self.asked = 0

    @property
    def time(self) -> datetime:
        return START + timedelta(seconds=self.machine.monotonic()) + self.ahead

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Ask]:
        if self.away:
            raise Unavailable("away")
        yield self.ask

    async def ask(self) -> datetime:
        trip = self.trips[self.asked % len(self.trips)]
        self.asked += 1
        self.machine.advance(trip / 2)
        told = self.time
        self.machine.advance(trip / 2)
        return told


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def machine() -> Machine:
    return Machine(START)


async def test_before_it_follows_it_is_the_machines_clock(machine):
    clock = ServerClock(machine)
    assert clock.now() == START
    machine.advance(3)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=3), 3)


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES, timedelta()])
async def test_it_follows_a_server_that_is_ahead_or_behind(machine, ahead):
    clock, server = ServerClock(machine), FakeServer(machine, ahead)
    async with clock.following_server(server):
        assert clock.now() == server.time
        machine.advance(7)
        assert clock.now() == server.time


async def test_the_fastest_answer_counts_with_half_of_its_trip(machine):
    clock, server = ServerClock(machine), FakeServer(machine, MINUTES)
    server.trips = [0.9, 0.4, 0.002, 0.6, 0.9]
    async with clock.following_server(server):
        assert server.asked == 5
        assert abs(clock.now() - server.time) < timedelta(milliseconds=2)


async def test_it_takes_over_a_jump_of_the_server_at_the_next_refresh(machine):
    clock, server = ServerClock(machine), FakeServer(machine)
    async with clock.following_server(server):
        await settled()
        server.ahead = MINUTES
        machine.advance(REFRESH_SECONDS)
        await settled()
        assert clock.now() == server.time


async def test_while_the_server_is_away_it_counts_on_from_the_last_answer(machine):
    clock, server = ServerClock(machine), FakeServer(machine, MINUTES)
    async with clock.following_server(server):
        await settled()
        server.away = True
        for _ in range(4):
            machine.advance(REFRESH_SECONDS)
            await settled()
            assert clock.now() == server.time
        server.away, server.ahead = False, -MINUTES
        machine.advance(REFRESH_SECONDS)
        await settled()
        assert clock.now() == server.time


async def test_slow_answers_do_not_replace_a_good_one(machine):
    clock, server = ServerClock(machine), FakeServer(machine, MINUTES)
    async with clock.following_server(server):
        await settled()
        server.trips, server.ahead = [4.0], MINUTES + timedelta(seconds=1)
        machine.advance(REFRESH_SECONDS)
        await settled()
        assert clock.now() == server.time - timedelta(seconds=1)


async def test_a_machine_whose_clock_is_set_changes_nothing_and_makes_it_ask_at_once(machine):
    clock, server = ServerClock(machine), FakeServer(machine, MINUTES)
    async with clock.following_server(server):
        await settled()
        asked = server.asked
        machine.error = timedelta(hours=1)
        assert clock.now() == server.time
        await settled()
        assert server.asked == 2 * asked
        assert clock.now() == server.time
        await settled()
        assert server.asked == 2 * asked


async def test_a_server_that_never_answered_is_not_guessed(machine):
    server = FakeServer(machine)
    server.away = True
    with pytest.raises(Unavailable):
        async with ServerClock(machine).following_server(server):
            pass


async def test_on_a_file_and_over_a_tests_own_clock_nothing_changes(database_url):
    database = Database(database_url)
    clock = ServerClock(ManualClock(START))
    try:
        async with clock.following(database):
            assert clock.now() == START
    finally:
        await database.close()


class SkewedClock(SystemClock):
    def __init__(self, seconds: float) -> None:
        self._skew = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._skew


@pytest.mark.connected("postgres")
async def test_skewed_machines_agree_on_the_time_of_their_postgresql(server):
    ahead, behind = ServerClock(SkewedClock(300)), ServerClock(SkewedClock(-300))
    follow = time_of(server)
    plain = ServerClock()
    async with ahead.following_server(follow), behind.following_server(follow), plain.following(server):
        for clock in (ahead, behind, SystemClock()):  # the server is on this machine
            before, now, after = plain.now(), clock.now(), plain.now()
            assert before - OFF < now < after + OFF
