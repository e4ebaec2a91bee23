"""A cache in this process: kill -9 forgets it."""

from __future__ import annotations

from xget_cache.flight import SingleFlight
from xget_cache.ports import Make
from xget_kernel.clock import Clock

MAX_BYTES = 64 * 1024 * 1024


class MemoryCache:
    """At most `max_bytes` of values; the one set longest ago goes first."""

    def __init__(self, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._flight = SingleFlight()

    async def get(self, key: str) -> bytes | None:
        until, value = self._kept.get(key, (0.0, b""))
        if self._clock.monotonic() < until:
            return value
        self._drop(key)
        return None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        self._drop(key)
        if len(value) > self._max_bytes:
            return
        self._kept[key] = (self._clock.monotonic() + ttl, value)
        self._bytes += len(value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self._drop(key)

    async def get_or_set(self, key: str, ttl: float, make: Make) -> bytes:
        async def fill() -> bytes:
            value = await make()
            await self.set(key, value, ttl)
            return value

        found = await self.get(key)
        return await self._flight.run(key, fill) if found is None else found

    async def close(self) -> None:
        """Cancel what is being made."""
        await self._flight.close()

    def _drop(self, key: str) -> None:
        _, value = self._kept.pop(key, (0.0, b""))
        self._bytes -= len(value)
