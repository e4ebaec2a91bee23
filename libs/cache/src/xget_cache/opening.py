"""Opens the cache that the settings select."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from redis.exceptions import AuthenticationError, NoPermissionError, ReadOnlyError, RedisError, ResponseError

from xget_cache.fallback import FallbackLimiter
from xget_cache.house import CacheHouse
from xget_cache.memory.cache import MemoryCache
from xget_cache.memory.limiter import MemoryLimiter
from xget_cache.memory.locks import MemoryLocks
from xget_cache.redis import scripts
from xget_cache.redis.cache import RedisCache
from xget_cache.redis.connection import RedisConnection
from xget_cache.redis.keys import Keys
from xget_cache.redis.limiter import RedisLimiter
from xget_cache.redis.locks import RedisLocks
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.engines import EngineSettings, masked
from xget_kernel.errors import StartupError

OLDEST = (7, 0)
START_SECONDS = 10.0
LOOK_SECONDS = 0.25


async def open_cache(settings: EngineSettings, clock: Clock | None = None) -> CacheHouse:
    """In Redis when `REDIS_URL` is set, else in this process. Waits at most 10 s for a Redis that does not answer.

    Raises StartupError, naming REDIS_URL and the masked address: no URL, unreachable, wrong credentials, missing
    rights, a replica, a cluster of several nodes, older than version 7.
    """
    time = clock or SystemClock()
    if settings.redis_url is None:
        cache = MemoryCache(time)
        return CacheHouse(
            cache=cache,
            limiter=MemoryLimiter(time),
            locks=MemoryLocks(time),
            engine="memory",
            closers=(cache.close,),
        )
    connection = _connection(settings.redis_url.reveal(), time)
    keys = Keys(settings.redis_prefix)
    try:
        await _check(connection, keys, time)
    except BaseException:
        await connection.close()
        raise
    return _in_redis(connection, keys, time)


def _in_redis(connection: RedisConnection, keys: Keys, clock: Clock) -> CacheHouse:
    locks = RedisLocks(connection, keys, clock)
    cache = RedisCache(connection, keys, locks, clock)
    return CacheHouse(
        cache=cache,
        limiter=FallbackLimiter(RedisLimiter(connection, keys), MemoryLimiter(clock)),
        locks=locks,
        engine="redis",
        address=connection.address,
        breaker=connection.breaker,
        ping=connection.ping,
        version=connection.version,
        closers=(cache.close, connection.close),
    )


def _connection(url: str, clock: Clock) -> RedisConnection:
    try:
        return RedisConnection(url, clock)
    except (ValueError, TypeError) as error:
        raise StartupError(
            f"REDIS_URL ({masked(url)}) is no URL of Redis: write it like redis://user:password@host:6379/0."
        ) from error


async def _check(connection: RedisConnection, keys: Keys, clock: Clock) -> None:
    end = clock.monotonic() + START_SECONDS
    while True:
        try:
            info = await connection.client.info("server")
            await _refuse_cluster(connection, info)
            await connection.client.eval(scripts.PROBE, 1, keys.probe())
            break
        except (RedisError, OSError) as error:
            sentence = _refusal(error)
            if sentence is None and clock.monotonic() + LOOK_SECONDS >= end:
                sentence = "does not answer: see that it runs and can be reached, or correct REDIS_URL"
            if sentence:
                raise StartupError(f"Redis at {connection.address} (REDIS_URL) {sentence}.") from error
        await clock.sleep(LOOK_SECONDS)
    version = str(info.get("redis_version", "0"))
    found = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if found < OLDEST:
        raise StartupError(
            f"Redis at {connection.address} (REDIS_URL) has version {version}: XGet needs Redis 7, Valkey 7 or newer."
        )


async def _refuse_cluster(connection: RedisConnection, info: Mapping[str, Any]) -> None:
    """The client sends everything to one node; of several, the others would refuse it at every other key."""
    if "cluster" not in (info.get("redis_mode"), info.get("server_mode")):
        return
    if int((await connection.client.cluster("INFO"))["cluster_size"]) > 1:
        raise StartupError(
            f"Redis at {connection.address} (REDIS_URL) is one node of a Redis Cluster, and XGet speaks to one server: "
            "name a Redis that is none, or a proxy in front of the cluster."
        )


def _refusal(error: Exception) -> str | None:
    """What will not change by waiting."""
    text = str(error)
    if isinstance(error, NoPermissionError):
        return "does not allow what XGet does: let its user run scripts on all keys that begin with REDIS_PREFIX"
    if isinstance(error, AuthenticationError) or text.startswith(("WRONGPASS", "NOAUTH")):
        return "refuses the credentials: correct user and password in REDIS_URL"
    if isinstance(error, ReadOnlyError):
        return "is a replica that cannot be written: name the primary in REDIS_URL"
    if isinstance(error, ResponseError) and "DB index is out of range" in text:
        return "has no database of that number: correct the end of REDIS_URL"
    return None
