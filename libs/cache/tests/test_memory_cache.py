"""The contracts in memory, on a clock of their own, and what only memory has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_cache.house import CacheHouse
from xget_cache.memory.cache import MemoryCache
from xget_cache.memory.limiter import MemoryLimiter
from xget_cache.memory.locks import MemoryLocks
from xget_cache.ports import Quota
from xget_kernel.clock import ManualClock
from xget_testing.contracts.cache import CacheContract, LimiterContract, LocksContract

PassTime = Callable[[float], Awaitable[None]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def house(clock: ManualClock) -> AsyncIterator[CacheHouse]:
    cache = MemoryCache(clock)
    yield CacheHouse(cache=cache, limiter=MemoryLimiter(clock), locks=MemoryLocks(clock), engine="memory")
    await cache.close()


@pytest.fixture
def pass_time(clock: ManualClock) -> PassTime:
    async def advance(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0.001)

    return advance


class TestMemoryCache(CacheContract):
    """In this process."""


class TestMemoryLimiter(LimiterContract):
    """In this process."""


class TestMemoryLocks(LocksContract):
    """In this process."""


STEPS = st.lists(
    st.one_of(st.floats(0, 100, allow_nan=False), st.sampled_from(["a", "b"])),
    max_size=60,
)


@given(steps=STEPS, limits=st.tuples(st.integers(0, 5), st.integers(0, 9)))
def test_windows_follow_the_clock_as_in_the_model(steps: list[float | str], limits: tuple[int, int]) -> None:
    """Every taken request is remembered with its time; a window's count is what lies in it."""
    clock = ManualClock()
    limiter = MemoryLimiter(clock)
    quotas = [Quota(limits[0], 7), Quota(limits[1], 60)]
    taken: list[tuple[str, float]] = []
    for step in steps:
        if isinstance(step, float):
            clock.advance(step)
            continue
        now = clock.now().timestamp()
        left = [q.limit - sum(s == step and t // q.seconds == now // q.seconds for s, t in taken) for q in quotas]
        verdict = asyncio.run(limiter.take(step, quotas))
        assert verdict.allowed == (min(left) > 0)
        assert verdict.remaining == max(0, min(left) - 1 if verdict.allowed else 0)
        assert 0 < verdict.reset_seconds <= 60
        if verdict.allowed:
            taken.append((step, now))


async def test_many_subjects_and_large_values_do_not_fill_the_memory(clock: ManualClock) -> None:
    limiter = MemoryLimiter(clock, max_counters=10)
    for number in range(100):
        await limiter.take(str(number), [Quota(1, 60)])
    assert (await limiter.take("99", [Quota(1, 60)])).allowed is False
    assert (await limiter.take("0", [Quota(1, 60)])).allowed is True
    cache = MemoryCache(clock, max_bytes=100)
    for number in range(30):
        await cache.set(str(number), b"x" * 10, 60)
    assert [await cache.get(key) for key in ("0", "29")] == [None, b"x" * 10]
    await cache.set("huge", b"x" * 101, 60)
    assert await cache.get("huge") is None
    assert await cache.get("29") == b"x" * 10
