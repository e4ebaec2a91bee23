"""The contracts on a real Valkey, and what only a shared engine can do."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from xget_cache.errors import LockTaken
from xget_cache.house import CacheHouse
from xget_cache.opening import open_cache
from xget_cache.ports import Quota
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import Unavailable
from xget_testing.contracts.cache import CacheContract, LimiterContract, LocksContract

pytestmark = pytest.mark.connected("redis")
DAY = [Quota(5, 86400)]


@pytest.fixture
def house(redis_house: CacheHouse) -> CacheHouse:
    return redis_house


@pytest.fixture
def pass_time() -> Callable[[float], Awaitable[None]]:
    return asyncio.sleep


class TestRedisCache(CacheContract):
    """On Valkey."""


class TestRedisLimiter(LimiterContract):
    """On Valkey."""


class TestRedisLocks(LocksContract):
    """On Valkey."""


def on(url: str, prefix: str = "xget") -> EngineSettings:
    return EngineSettings(redis_url=url, redis_prefix=prefix)


async def test_processes_share_counts_locks_and_values(house: CacheHouse, redis_url: str, prefix: str) -> None:
    other = await open_cache(on(redis_url, prefix))
    try:
        taken = [await one.limiter.take("s", DAY) for one in (house, other, house, other)]
        assert [one.remaining for one in taken] == [4, 3, 2, 1]
        async with house.locks.hold("job", 60):
            with pytest.raises(LockTaken):
                async with other.locks.hold("job", 60):
                    pytest.fail("held twice")
        runs = 0

        async def slow() -> bytes:
            nonlocal runs
            runs += 1
            await asyncio.sleep(0.3)
            return b"made"

        asking = [one.cache.get_or_set("k", 60, slow) for one in (house, other) for _ in range(10)]
        assert set(await asyncio.gather(*asking)) == {b"made"}
        assert runs == 1
    finally:
        await other.close()


async def test_an_installation_sees_nothing_of_another(house: CacheHouse, redis_url: str, prefix: str) -> None:
    other = await open_cache(on(redis_url, f"{prefix}:other"))
    try:
        await house.cache.set("k", b"1", 60)
        assert await other.cache.get("k") is None
    finally:
        await other.close()


async def test_scripts_are_given_again_when_the_server_forgot_them(valkey, prefix: str) -> None:
    await valkey.start()
    house = await open_cache(on(valkey.url, prefix))
    try:
        await house.limiter.take("s", DAY)
        async with Redis.from_url(valkey.url) as client:
            await client.script_flush()
        assert (await house.limiter.take("s", DAY)).remaining == 3
        assert (await house.version()).split()[0] in {"valkey", "redis"}
    finally:
        await house.close()


async def test_keys_of_one_step_live_on_one_node_of_a_cluster(valkey, prefix: str) -> None:
    """A cluster refuses a script whose keys have different slots, even when one node has all slots."""
    await valkey.start_as_cluster()
    house = await open_cache(on(valkey.url, prefix))
    try:
        for subject in ("a", "{b} c", "user@x", "{}", "}{"):
            verdict = await house.limiter.take(subject, [Quota(2, 60), Quota(3, 3600), Quota(4, 86400)])
            assert verdict.allowed
            async with house.locks.hold(subject, 60) as fence:
                await fence.renew()
            await house.cache.set(subject, b"1", 60)
        await house.cache.delete("a", "{b} c", "user@x")
        assert await house.degraded() is None
        assert house.breaker
        assert house.breaker.state == "closed"
    finally:
        await house.close()


async def test_while_redis_is_dead_each_process_counts_and_it_returns_by_itself(valkey, prefix: str) -> None:
    await valkey.start()
    house = await open_cache(on(valkey.url, prefix))
    try:
        assert [(await house.limiter.take("s", DAY)).remaining for _ in range(3)] == [4, 3, 2]
        await house.cache.set("k", b"1", 60)
        valkey.kill()
        assert [(await house.limiter.take("s", DAY)).remaining for _ in range(8)] == [4, 3, 2, 1, 0, 0, 0, 0]
        assert "REDIS_URL" in (await house.degraded() or "")
        assert await house.cache.get("k") is None
        assert await house.cache.get_or_set("k", 60, _two) == b"2"
        await house.cache.delete("k")
        with pytest.raises(Unavailable) as refused:
            async with house.locks.hold("job", 60):
                pytest.fail("nobody can promise that")
        assert int(refused.value.headers["Retry-After"]) >= 1
        began = time.monotonic()
        for _ in range(100):
            await house.limiter.take("other", DAY)
        assert time.monotonic() - began < 20
        await valkey.start()
        began = time.monotonic()
        while await house.degraded():
            assert time.monotonic() - began < 60
            await asyncio.sleep(0.1)
        assert (await house.limiter.take("s", DAY)).remaining == 4
    finally:
        await house.close()


@pytest.mark.slow
async def test_a_redis_that_hangs_costs_a_second_at_first_and_then_nothing(
    valkey, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await valkey.start()
    monkeypatch.setattr("xget_cache.redis.connection.ANSWER_SECONDS", 1.0)
    monkeypatch.setattr("xget_cache.redis.connection.PING_SECONDS", 1.5)
    house = await open_cache(on(valkey.url, prefix))
    try:
        valkey.signal(signal.SIGSTOP)
        began = time.monotonic()
        await asyncio.gather(*(house.limiter.take("s", DAY) for _ in range(30)))
        assert time.monotonic() - began < 15, "none waits for another: 30 seconds in turn"
        began = time.monotonic()
        for _ in range(100):
            await house.limiter.take("s", DAY)
        assert await house.degraded()
        assert time.monotonic() - began < 30, "hardly one of a hundred waits its second"
        valkey.signal(signal.SIGCONT)
        began = time.monotonic()
        while await house.degraded():
            assert time.monotonic() - began < 60
            await asyncio.sleep(0.1)
    finally:
        await house.close()


async def test_a_token_grows_even_when_redis_lost_everything(valkey, prefix: str) -> None:
    await valkey.start()
    house = await open_cache(on(valkey.url, prefix))
    try:
        async with house.locks.hold("job", 60) as before:
            valkey.kill()
            await valkey.start()
            async with house.locks.hold("job", 60) as after:
                assert after.token > before.token
    finally:
        await house.close()


async def _two() -> bytes:
    return b"2"
