"""Locks among the tasks of this process: kill -9 ends holder and lock together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from xget_cache.errors import LockLost, LockTaken
from xget_kernel.clock import Clock

LOOK_SECONDS = 0.05


class _Held(msgspec.Struct):
    token: int
    until: float


class MemoryFence:
    """A lock held in this process."""

    def __init__(self, locks: MemoryLocks, name: str, token: int, ttl: float) -> None:
        self.name = name
        self.token = token
        self._locks = locks
        self._ttl = ttl

    async def renew(self) -> None:
        """Hold it for the whole TTL from now. Raises LockLost (409)."""
        self._locks.renew(self, self._ttl)


class MemoryLocks:
    """Tokens come from the clock, in µs, and grow even when it stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._last_token = 0

    @asynccontextmanager
    async def hold(self, name: str, ttl: float, *, wait: float = 0.0) -> AsyncIterator[MemoryFence]:
        end = self._clock.monotonic() + wait
        while not self._is_free(name):
            left = end - self._clock.monotonic()
            if left <= 0:
                raise LockTaken(f"{name} is being worked on: try again in a moment.")
            await self._clock.sleep(min(LOOK_SECONDS, left))
        fence = MemoryFence(self, name, self._next_token(), ttl)
        self._held[name] = _Held(fence.token, self._clock.monotonic() + ttl)
        try:
            yield fence
        finally:
            held = self._held.get(name)
            if held and held.token == fence.token:
                del self._held[name]

    def renew(self, fence: MemoryFence, ttl: float) -> None:
        """Raises LockLost when the lock ran out or is another's."""
        held = self._held.get(fence.name)
        if held is None or held.token != fence.token or self._is_free(fence.name):
            raise LockLost(f"The lock {fence.name} ran out while it was held.")
        held.until = self._clock.monotonic() + ttl

    def _is_free(self, name: str) -> bool:
        held = self._held.get(name)
        return held is None or self._clock.monotonic() >= held.until

    def _next_token(self) -> int:
        self._last_token = max(self._last_token + 1, int(self._clock.now().timestamp() * 1_000_000))
        return self._last_token
