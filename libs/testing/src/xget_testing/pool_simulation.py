"""Simulated hours of takers on a pool of accounts, in seconds, against a model of X's windows that no pool knows.

Time is virtual: it moves on when everybody waits for it. One event loop holds all takers, so several worker processes
are several pools on one database file.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from xget_kernel.clock import ManualClock

WINDOW: Final = 900
SETTLED: Final = 40
"""Turns of the event loop without work after which everybody waits for the clock."""


class VirtualClock(ManualClock):
    """Goes on by itself to the next moment that somebody sleeps until, once nobody is `working`."""

    def __init__(self) -> None:
        super().__init__()
        self._working = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Time stands still within the block, which waits for something real (a disk)."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    async def drive(self, seconds: float) -> None:
        """Let this many virtual seconds pass."""
        end = self.monotonic() + seconds
        while True:
            await self._settle()
            wake = self._next_wake()
            if wake is None or wake > end:
                break
            self.advance(max(0.0, wake - self.monotonic()))
        self.advance(end - self.monotonic())
        await self._settle()

    async def _settle(self) -> None:
        quiet = 0
        while quiet < SETTLED:
            await asyncio.sleep(0.0005 if self._working else 0)
            quiet = 0 if self._working else quiet + 1

    def _next_wake(self) -> float | None:
        return min((at for at, _, waiting in self._sleepers if not waiting.done()), default=None)


@dataclass
class XWindows:
    """What X counts: a window begins with its first request and lasts 15 minutes; times are whole seconds."""

    clock: ManualClock
    limit: int = 50
    requests: Counter[str] = field(default_factory=Counter)
    over: int = 0
    """Requests that came when the window was used up."""
    _windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, account: str) -> tuple[bool, int, datetime]:
        """Count a request: whether it was answered with a page, what is left, until when."""
        now = self.clock.now()
        left, reset = self._windows.get(account, (0, 0))
        if reset <= now.timestamp():
            left, reset = self.limit, math.ceil(now.timestamp() + WINDOW)
        answered = left > 0
        self._windows[account] = (max(0, left - 1), reset)
        self.requests[account] += 1
        self.over += not answered
        return answered, max(0, left - 1), now + timedelta(seconds=reset - now.timestamp())


@dataclass(frozen=True)
class Ticket:
    """An account in a taker's hands; `token` is the pool's own."""

    account: str
    token: object


class SimulatedPool(Protocol):
    """A pool as takers use it."""

    async def take(self, holder: str) -> Ticket | None:
        """An account, waited for; None when none came."""
        ...

    async def told(self, ticket: Ticket, *, answered: bool, limit: int, left: int, reset_at: datetime) -> bool:
        """Hand over the answer's headers; whether the taker got to see the page."""
        ...

    async def back(self, ticket: Ticket) -> bool:
        """After a page: whether the taker has to take an account anew."""
        ...


@dataclass
class Figures:
    """What a simulation came to."""

    pages: int = 0
    """Pages that takers got to see."""
    lost_holders: int = 0
    """Takers that died with an account in their hands, their request made and never reported."""


async def simulate(  # noqa: PLR0917 - a scene has many parts
    clock: VirtualClock, windows: XWindows, pools: Sequence[SimulatedPool], takers: int, seconds: float, deaths: float
) -> Figures:
    """`takers` on each pool for this many virtual seconds; of their requests the share `deaths` ends with a death."""
    figures, chance = Figures(), random.Random(7)
    tasks = [
        asyncio.create_task(_taker(clock, windows, pool, f"{number}-{taker}", figures, chance, deaths))
        for number, pool in enumerate(pools)
        for taker in range(takers)
    ]
    driver = asyncio.create_task(clock.drive(seconds))
    await asyncio.wait([*tasks, driver], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    driver.cancel() if not driver.done() else driver.result()
    for one in ended:
        if isinstance(one, Exception):
            raise one
    return figures


async def _taker(  # noqa: PLR0917
    clock: VirtualClock,
    windows: XWindows,
    pool: SimulatedPool,
    name: str,
    figures: Figures,
    chance: random.Random,
    deaths: float,
) -> None:
    lives = 0
    while True:
        ticket = await pool.take(f"{name}-{lives}")
        if ticket is None:
            continue
        done = False
        while not done:
            await clock.sleep(chance.choice((0.5, 1.0, 1.5)))
            answered, left, reset_at = windows.take(ticket.account)
            if chance.random() < deaths:
                figures.lost_holders += 1
                lives += 1
                break
            kept = await pool.told(ticket, answered=answered, limit=windows.limit, left=left, reset_at=reset_at)
            figures.pages += kept
            done = await pool.back(ticket)


def gini(uses: Sequence[int]) -> float:
    """How unequally something is spread: 0 when all have the same, near 1 when one has all."""
    ordered, total = sorted(uses), sum(uses)
    if not total:
        return 0.0
    weighted = sum((number + 1) * use for number, use in enumerate(ordered))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)
