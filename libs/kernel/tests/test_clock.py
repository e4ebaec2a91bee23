import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from xget_kernel.clock import ManualClock, SystemClock


def test_the_system_clock_is_aware_and_in_utc():
    assert SystemClock().now().tzinfo is UTC


async def test_the_system_clock_sleeps():
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009


def test_a_manual_clock_moves_only_when_it_is_advanced():
    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(90)
    assert clock.now() == datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=90)
    assert clock.monotonic() == 90


async def test_advancing_wakes_those_whose_time_has_come_and_no_other():
    clock = ManualClock()
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3, 1, 2)]
    await asyncio.sleep(0)
    assert clock.sleepers == 3
    clock.advance(2)
    await asyncio.sleep(0)
    assert woken == [1, 2]
    clock.advance(1)
    await asyncio.gather(*tasks)
    assert woken == [1, 2, 3]


async def test_a_cancelled_sleeper_is_forgotten():
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert clock.sleepers == 0
    clock.advance(10)


async def test_sleeping_no_time_lets_others_run():
    clock = ManualClock()
    await clock.sleep(0)
    assert clock.monotonic() == 0


def test_a_manual_clock_does_not_go_back():
    with pytest.raises(ValueError, match="cannot go back"):
        ManualClock().advance(-1)
