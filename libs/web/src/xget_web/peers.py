"""Readiness checks on what a service hands to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

from xget_kernel.breaker import Breaker
from xget_kernel.clock import Clock
from xget_web.health import Check, Degraded

LATE_SECONDS: Final = 10.0
"""An outbox is emptied in milliseconds; a row that is older waits for the event log."""


class Backlog(Protocol):
    """What waits to be announced."""

    async def oldest(self) -> datetime | None:
        """When the first of it came, None when nothing waits."""
        ...


def peers_answer(breakers: Iterable[Breaker]) -> Check:
    """Degraded while one of `breakers` (read at each check) is open: what needs that peer answers 503, no more."""

    async def other_services() -> str | None:
        troubles = [trouble for breaker in breakers if (trouble := breaker.trouble())]
        return Degraded(" ".join(troubles)) if troubles else None

    return other_services


def outbox_answer(backlog: Callable[[], Backlog], clock: Clock, trouble: Callable[[], str | None]) -> Check:
    """Degraded while events wait for the event log: what they announce is kept, and goes on when it is back.

    `trouble` is what the log itself says is wrong.
    """

    async def events_move() -> str | None:
        if said := trouble():
            return Degraded(said)
        oldest = await backlog().oldest()
        waited = (clock.now() - oldest).total_seconds() if oldest else 0.0
        if waited < LATE_SECONDS:
            return None
        return Degraded(f"Events have waited for {waited:.0f} s: the event log does not take them. None is lost.")

    return events_move
