"""What an engine must do to be XGet's cache. Nothing here may be the only place of what must not be lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

Make = Callable[[], Awaitable[bytes]]


class Cache(Protocol):
    """Bytes by key, each for a time. It may forget anything at any time.

    While its engine is away, `get` finds nothing, `set` and `delete` do nothing, and `get_or_set` makes the value: a
    cache that is down costs time, not answers.
    """

    async def get(self, key: str) -> bytes | None:
        """The value, or None when there is none (any more)."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep `value` for `ttl` seconds (> 0)."""
        ...

    async def delete(self, *keys: str) -> None:
        """Forget these; unknown ones are fine."""
        ...

    async def get_or_set(self, key: str, ttl: float, make: Make) -> bytes:
        """The value, made by `make` when there is none.

        Of all who ask at once in a process, one makes it and the others get that one's value or exception; nothing is
        kept of a failure. With Redis one process makes it for all, if that takes less than 10 s.
        """
        ...


class Quota(msgspec.Struct, frozen=True):
    """At most `limit` in each window of `seconds`; windows begin at multiples of `seconds` since 1970."""

    limit: int
    seconds: int


class Verdict(msgspec.Struct, frozen=True):
    """What a limiter says, about the quota with the least room."""

    allowed: bool
    limit: int
    remaining: int
    """What is left in the window after this one, never negative."""
    reset_seconds: int
    """Whole seconds until the window is over, at least 1."""


class RateLimiter(Protocol):
    """Counts in fixed windows, as Kong does, all quotas of a subject in one atomic step."""

    async def take(self, subject: str, quotas: Sequence[Quota]) -> Verdict:
        """Count one under every quota (at least one, of different seconds), or under none when one has no room.

        A refusal speaks about the exhausted quota that takes longest to come back. Raises CacheDown (503).
        """
        ...


class Fence(Protocol):
    """A held lock. Writes that it protects carry `token`: whoever keeps them refuses a lower one than it has seen."""

    @property
    def name(self) -> str:
        """Of the lock."""
        ...

    @property
    def token(self) -> int:
        """Grows with every holder of this name, even when the engine lost its data in between."""
        ...

    async def renew(self) -> None:
        """Hold it for the whole TTL from now. Raises LockLost (409) when it ran out, CacheDown (503)."""
        ...


class Locks(Protocol):
    """Short locks against doing work twice. A holder's pause may outlast the TTL: correctness is the fence's job."""

    def hold(self, name: str, ttl: float, *, wait: float = 0.0) -> AbstractAsyncContextManager[Fence]:
        """Hold `name` inside the block, at most `ttl` seconds unless renewed; released at its end by its holder only.

        Raises LockTaken (409) when it is another's after `wait` seconds, CacheDown (503).
        """
        ...
