"""Everything that one process needs of the cache, built once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from xget_cache.ports import Cache, Locks, RateLimiter
from xget_kernel.breaker import Breaker
from xget_kernel.errors import Unavailable


async def _no_time() -> float:
    return 0.0


async def _in_memory() -> str:
    return "in this process"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHouse:
    """The ports on the engine that the settings select; close it at the end."""

    cache: Cache
    limiter: RateLimiter
    """Never fails for its engine: it falls back to counting in this process."""
    locks: Locks
    engine: str
    """`memory` or `redis`."""
    address: str = ""
    """Masked; empty in memory."""
    breaker: Breaker | None = None
    """Of the way to Redis."""
    ping: Callable[[], Awaitable[float]] = _no_time
    """Seconds until the engine answered. Raises CacheDown, CircuitOpen (503)."""
    version: Callable[[], Awaitable[str]] = _in_memory
    """Name and version of the engine. Raises CacheDown, CircuitOpen (503)."""
    closers: tuple[Callable[[], Awaitable[None]], ...] = field(default=(), repr=False)

    async def degraded(self) -> str | None:
        """A sentence while the engine is away, for readiness; None when it answers. Takes at most 2 s."""
        try:
            await self.ping()
        except Unavailable:
            return (
                f"Redis at {self.address} does not answer, so each process counts rate limits by itself and nothing is "
                "cached: see that it runs and that REDIS_URL is right."
            )
        return None

    async def close(self) -> None:
        """Cancel what is being made and close the connections."""
        for close in self.closers:
            await close()
