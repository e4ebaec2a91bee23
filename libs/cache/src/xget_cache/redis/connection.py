"""The one way to Redis: bounded pool, short timeouts, retries of what may be repeated, a breaker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from xget_cache.errors import CacheDown
from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_kernel.engines import masked

POOL: Final = 32
POOL_WAIT_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 1.0
PING_SECONDS: Final = 1.5
TRIES: Final = 3
FIRST_PAUSE: Final = 0.03

T = TypeVar("T")
Script = Callable[..., Awaitable[Any]]


class RedisConnection:
    """Commands to the Redis at `url`. Raises ValueError or TypeError for text that is no such URL.

    A command that may be repeated is tried three times, with jitter. redis-py's own retries are off, because they
    repeat counting too.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self.address = masked(url)
        number = urlsplit(url).path.strip("/")
        if number and not number.isdigit() and not url.startswith("unix:"):
            raise ValueError("the number of the database is none")  # the client would take number 0
        self._clock = clock
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=POOL,
            timeout=POOL_WAIT_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            client_name="xget",
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            **({} if url.startswith("unix:") else {"socket_keepalive": True}),
        )
        pool.connection_kwargs["decode_responses"] = False  # values are bytes, whatever the URL says
        pool.connection_class(**pool.connection_kwargs)  # raises TypeError for an option that does not exist
        self.client = Redis.from_pool(pool)
        self.breaker = Breaker(f"Redis at {self.address}", failures=(CacheDown,), clock=clock)

    def script(self, lua: str) -> Script:
        """Runs by its hash; a server that does not know it (any more) is given the text and asked again."""
        registered: Script = self.client.register_script(lua)
        return registered

    async def once(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a command that must not be repeated. Raises CacheDown, or CircuitOpen while Redis rests (both 503)."""
        with self.breaker.guard():
            try:
                return await work()
            except (RedisError, OSError) as error:
                # The text of an answer may repeat arguments, so only its kind is told.
                raise CacheDown(
                    f"Redis at {self.address} does not do its work now ({type(error).__name__}).",
                    headers={"Retry-After": "1"},
                ) from error

    async def again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a command that may be repeated. Raises like `once`."""
        for tried in range(1, TRIES):
            try:
                return await self.once(work)
            except CacheDown:
                await self._clock.sleep(random.uniform(0.2, 1.0) * FIRST_PAUSE * 3**tried)
        return await self.once(work)

    async def ping(self) -> float:
        """Seconds until Redis answered. Raises CacheDown, CircuitOpen (503)."""
        began = time.perf_counter()
        await self.once(self._bounded_ping)
        return time.perf_counter() - began

    async def version(self) -> str:
        """`valkey 9.1.2` or `redis 8.0.1`. Raises CacheDown, CircuitOpen (503)."""
        info: dict[str, Any] = await self.again(lambda: self.client.info("server"))
        if "valkey_version" in info:
            return f"valkey {info['valkey_version']}"
        return f"redis {info['redis_version']}"

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()
        await self.client.connection_pool.aclose()

    async def _bounded_ping(self) -> None:
        async with asyncio.timeout(PING_SECONDS):
            await self.client.ping()
