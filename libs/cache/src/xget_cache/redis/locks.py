"""Locks in Redis. One server's word, not a quorum's: what must not happen twice is kept by fencing tokens."""

from __future__ import annotations

import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from xget_cache.errors import LockLost, LockTaken
from xget_cache.redis import scripts
from xget_cache.redis.connection import RedisConnection
from xget_cache.redis.keys import Keys
from xget_kernel.clock import Clock
from xget_kernel.errors import Unavailable

LOOK_SECONDS = 0.05


class RedisFence:
    """A lock held in Redis under a nonce that only its holder knows."""

    def __init__(self, locks: RedisLocks, name: str, nonce: str, token: int, ttl: float) -> None:
        self.name = name
        self.token = token
        self._locks = locks
        self._nonce = nonce
        self._ttl = ttl

    async def renew(self) -> None:
        """Hold it for the whole TTL from now. Raises LockLost (409), CacheDown (503)."""
        if not await self._locks.renew(self.name, self._nonce, self._ttl):
            raise LockLost(f"The lock {self.name} ran out while it was held.")


class RedisLocks:
    """Every step may be repeated, since it carries the taker's nonce."""

    def __init__(self, connection: RedisConnection, keys: Keys, clock: Clock) -> None:
        self._connection = connection
        self._keys = keys
        self._clock = clock
        self._acquire = connection.script(scripts.ACQUIRE)
        self._renew = connection.script(scripts.RENEW)
        self._release = connection.script(scripts.RELEASE)

    @asynccontextmanager
    async def hold(self, name: str, ttl: float, *, wait: float = 0.0) -> AsyncIterator[RedisFence]:
        nonce = secrets.token_hex(16)
        try:
            token = await self._wait_for(name, nonce, ttl, wait)
            yield RedisFence(self, name, nonce, token, ttl)
        finally:
            await self.release(name, nonce)

    async def acquire(self, name: str, nonce: str, ttl: float) -> int | None:
        """The token, or None while it is another's. Raises CacheDown, CircuitOpen (503)."""
        keys = [self._keys.lock(name), self._keys.last_token(name)]
        token = await self._connection.again(lambda: self._acquire(keys=keys, args=[nonce, _milliseconds(ttl)]))
        return None if token is None else int(token)

    async def renew(self, name: str, nonce: str, ttl: float) -> bool:
        """False when it ran out. Raises CacheDown, CircuitOpen (503)."""
        keys = [self._keys.lock(name)]
        return bool(await self._connection.again(lambda: self._renew(keys=keys, args=[nonce, _milliseconds(ttl)])))

    async def release(self, name: str, nonce: str) -> None:
        """Free it if it is still this taker's; while Redis is away its TTL does that."""
        keys = [self._keys.lock(name)]
        with suppress(Unavailable):
            await self._connection.again(lambda: self._release(keys=keys, args=[nonce]))

    async def _wait_for(self, name: str, nonce: str, ttl: float, wait: float) -> int:
        end = self._clock.monotonic() + wait
        while (token := await self.acquire(name, nonce, ttl)) is None:
            left = end - self._clock.monotonic()
            if left <= 0:
                raise LockTaken(f"{name} is being worked on: try again in a moment.")
            await self._clock.sleep(min(LOOK_SECONDS * random.uniform(0.5, 1.5), left))
        return token


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
