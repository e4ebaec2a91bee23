"""How fast one may guess: durable, per account and per address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from xget_auth.models import Attempts
from xget_auth.repository.attempts import AttemptRepository

MEMORY = timedelta(hours=1)
"""A key without an attempt for so long begins anew."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


@dataclass(frozen=True)
class Limit:
    """How many failures in a row are free; after that each one doubles a pause."""

    free: int

    def pause(self, count: int) -> timedelta | None:
        """The pause that follows the `count`-th failure."""
        over = count - self.free
        return None if over < 0 else min(FIRST_PAUSE * 2 ** min(over, 10), LONGEST_PAUSE)


ACCOUNT = Limit(free=5)
ADDRESS = Limit(free=30)


class Throttle:
    """Counts every attempt before it is checked, so that attempts at the same time count too."""

    def __init__(self, attempts: AttemptRepository) -> None:
        self._attempts = attempts

    async def begin(self, username: str, address: str, now: datetime) -> int | None:
        """Count an attempt; or the seconds to wait when it may not be made."""
        rows = [
            (await self._attempts.get_or_add(_key("account", username), now), ACCOUNT),
            (await self._attempts.get_or_add(_key("address", address), now), ADDRESS),
        ]
        waits = [row.blocked_until - now for row, _ in rows if row.blocked_until and row.blocked_until > now]
        if waits:
            return max(1, ceil(max(waits).total_seconds()))
        for row, limit in rows:
            _count(row, limit, now)
        return None

    async def succeed(self, username: str, address: str) -> None:
        """It was the right password: the account is free again, the address gets its attempt back."""
        account = await self._attempts.get(_key("account", username))
        if account is not None:
            account.count, account.blocked_until = 0, None
        place = await self._attempts.get(_key("address", address))
        if place is not None:
            place.count = max(place.count - 1, 0)
            place.blocked_until = place.blocked_until if place.count >= ADDRESS.free else None

    async def forget(self, now: datetime) -> None:
        """Drop what is old."""
        await self._attempts.forget(now - MEMORY)


def _count(row: Attempts, limit: Limit, now: datetime) -> None:
    row.count = 1 if now - row.last_at > MEMORY else row.count + 1
    row.last_at = now
    pause = limit.pause(row.count)
    row.blocked_until = None if pause is None else now + pause


def _key(kind: str, value: str) -> str:
    return sha256(f"{kind}:{value.lower()}".encode()).hexdigest()
