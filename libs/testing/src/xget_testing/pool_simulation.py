"""Simulated hours of takers on a pool of accounts, in seconds, against a model of X's windows that no pool knows.

Time is virtual: it moves on when everybody waits for it. `simulate` has all takers in one event loop;
`pool_processes` has worker processes of their own.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from xget_kernel.clock import ManualClock

WINDOW: Final = 900
SETTLED: Final = 40
"""Turns of the event loop without work after which everybody waits for the clock."""
Said = tuple[bool, int, datetime]
"""Whether a request was answered with a page, what is left, until when."""


class VirtualClock(ManualClock):
    """Goes on by itself to the next moment that somebody sleeps until, once nobody is `working`."""

    def __init__(self) -> None:
        super().__init__()
        self._working = 0
        self.worked = 0
        """How often somebody was `working`."""

    @contextmanager
    def working(self) -> Iterator[None]:
        """Time stands still within the block, which waits for something real (a disk)."""
        self._working += 1
        self.worked += 1
        try:
            yield
        finally:
            self._working -= 1

    async def drive(self, seconds: float) -> None:
        """Let this many virtual seconds pass."""
        end = self.monotonic() + seconds
        while True:
            await self.settle()
            wake = self.next_wake()
            if wake is None or wake > end:
                break
            self.reach(wake)
        self.reach(end)
        await self.settle()

    def reach(self, moment: float) -> None:
        """Go on to exactly this many seconds since the begin: whoever sleeps until then wakes."""
        self.advance(max(0.0, moment - self._passed))
        self._passed = max(moment, self._passed)
        self.advance(0)

    async def settle(self) -> None:
        """Until everybody waits for the clock."""
        quiet = 0
        while quiet < SETTLED:
            await asyncio.sleep(0.0005 if self._working else 0)
            quiet = 0 if self._working else quiet + 1

    def next_wake(self) -> float | None:
        """When the first of those who sleep wakes, in seconds since the begin."""
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

    def take(self, account: str) -> Said:
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


@dataclass(frozen=True)
class Scene:
    """What is simulated."""

    takers: int
    """Of each pool."""
    seconds: float
    deaths: float = 0.0
    """The share of requests that end with their taker's death."""
    limit: int = 50
    """Requests of an account in a window."""


async def simulate(clock: VirtualClock, windows: XWindows, pools: Sequence[SimulatedPool], scene: Scene) -> Figures:
    """All pools and takers in this event loop, for the scene's virtual seconds."""
    figures, chance = Figures(), random.Random(7)

    async def ask(account: str) -> Said:
        return windows.take(account)

    takers = [
        taker
        for number, pool in enumerate(pools)
        for taker in begin(clock, ask, pool, scene, f"{number}", figures, chance)
    ]
    driver = asyncio.create_task(clock.drive(scene.seconds))
    await asyncio.wait([*takers, driver], return_when=asyncio.FIRST_COMPLETED)
    await end(takers)
    driver.cancel() if not driver.done() else driver.result()
    return figures


def begin(  # noqa: PLR0917 - a scene has many parts
    clock: VirtualClock,
    ask: Callable[[str], Awaitable[Said]],
    pool: SimulatedPool,
    scene: Scene,
    name: str,
    figures: Figures,
    chance: random.Random,
) -> list[asyncio.Task[None]]:
    """The takers of one pool; `ask` makes a request with an account."""
    asking = _Asking(clock, ask, pool, scene, figures, chance)
    return [asyncio.create_task(asking.taker(f"{name}-{number}")) for number in range(scene.takers)]


async def end(takers: Sequence[asyncio.Task[None]]) -> None:
    """Stop takers. Raises what one of them met."""
    for task in takers:
        task.cancel()
    for one in await asyncio.gather(*takers, return_exceptions=True):
        if isinstance(one, Exception):
            raise one


@dataclass(frozen=True)
class _Asking:
    """What the takers of a pool have in common."""

    clock: VirtualClock
    ask: Callable[[str], Awaitable[Said]]
    pool: SimulatedPool
    scene: Scene
    figures: Figures
    chance: random.Random

    async def taker(self, name: str) -> None:
        lives = 0
        while True:
            ticket = await self.pool.take(f"{name}-{lives}")
            while ticket is not None:
                done = await self._request(ticket)
                lives += done is None
                if done is not False:
                    break

    async def _request(self, ticket: Ticket) -> bool | None:
        """Whether the taker has to take an account anew; None when it died."""
        await self.clock.sleep(self.chance.choice((0.5, 1.0, 1.5)))
        answered, left, reset_at = await self.ask(ticket.account)
        if self.chance.random() < self.scene.deaths:
            self.figures.lost_holders += 1
            return None
        limit = self.scene.limit
        seen = await self.pool.told(ticket, answered=answered, limit=limit, left=left, reset_at=reset_at)
        self.figures.pages += seen
        return await self.pool.back(ticket)


def gini(uses: Sequence[int]) -> float:
    """How unequally something is spread: 0 when all have the same, near 1 when one has all."""
    ordered, total = sorted(uses), sum(uses)
    if not total:
        return 0.0
    weighted = sum((number + 1) * use for number, use in enumerate(ordered))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)
