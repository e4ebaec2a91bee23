"""A cache in Redis: what kill -9 of it forgets is made again."""

from __future__ import annotations

import random
import secrets
from functools import partial
from typing import Any

from xget_cache.flight import SingleFlight
from xget_cache.ports import Make
from xget_cache.redis.connection import RedisConnection
from xget_cache.redis.keys import Keys
from xget_cache.redis.locks import RedisLocks
from xget_kernel.clock import Clock
from xget_kernel.errors import Unavailable

MAKING_SECONDS = 10.0
LOOK_SECONDS = 0.02
LONGEST_LOOK = 0.25


class RedisCache:
    """Values of all processes. Each process asks once at a time for a key, and of all processes one makes it."""

    def __init__(self, connection: RedisConnection, keys: Keys, locks: RedisLocks, clock: Clock) -> None:
        self._connection = connection
        self._client = connection.client
        self._keys = keys
        self._locks = locks
        self._clock = clock
        self._flight = SingleFlight()

    async def get(self, key: str) -> bytes | None:
        try:
            return await self._connection.again(lambda: self._get(key))
        except Unavailable:
            return None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        milliseconds = max(1, round(ttl * 1000))
        try:
            await self._connection.again(lambda: self._client.set(self._keys.cache(key), value, px=milliseconds))
        except Unavailable:
            return  # the value is made again when it is wanted

    async def delete(self, *keys: str) -> None:
        for key in keys:  # one by one: keys live on different nodes of a cluster
            try:
                await self._connection.again(partial(self._client.delete, self._keys.cache(key)))
            except Unavailable:
                return

    async def get_or_set(self, key: str, ttl: float, make: Make) -> bytes:
        async def find_or_make() -> bytes:
            found = await self.get(key)
            return await self._make_alone(key, ttl, make) if found is None else found

        return await self._flight.run(key, find_or_make)

    async def close(self) -> None:
        """Cancel what is being made."""
        await self._flight.close()

    async def _get(self, key: str) -> bytes | None:
        found: Any = await self._client.get(self._keys.cache(key))  # bytes, since decode_responses is off
        return None if found is None else bytes(found)

    async def _make_alone(self, key: str, ttl: float, make: Make) -> bytes:
        name, nonce = f"cache:{key}", secrets.token_hex(16)
        end, pause = self._clock.monotonic() + MAKING_SECONDS, LOOK_SECONDS
        while not await self._may_make(name, nonce) and self._clock.monotonic() < end:
            await self._clock.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 1.5, LONGEST_LOOK)
            found = await self.get(key)
            if found is not None:
                return found
        try:
            # Another may have made it between our look and our turn.
            value = await self.get(key)
            if value is None:
                value = await make()
                await self.set(key, value, ttl)
            return value
        finally:
            await self._locks.release(name, nonce)

    async def _may_make(self, name: str, nonce: str) -> bool:
        try:
            return await self._locks.acquire(name, nonce, MAKING_SECONDS) is not None
        except Unavailable:
            return True
