"""Those who wait for an account: served in order the moment room appears, without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from xget_account.errors import NoAccountNow
from xget_account.repository import Wish
from xget_account.service.granting import Granted
from xget_kernel.batching import delivered, settle
from xget_kernel.clock import Clock

SHORTEST_PAUSE: Final = timedelta(milliseconds=200)
"""Before looking again at an account that another transaction had in its hands."""
KNOWN_FOR: Final = timedelta(minutes=1)
"""For how long who comes back is told what he was told, unless room appears: else each would be a look for all."""
Ask = tuple[Wish, int]
Serve = Callable[[Sequence[Ask]], Awaitable[Sequence[Granted | Exception]]]
"""Grants or refuses wishes (with the seconds of the lease), which come by age."""


@dataclass(eq=False)
class _Waiter:
    ask: Ask
    until: float
    """Of the monotonic clock."""
    answer: asyncio.Future[Granted]
    refusal: NoAccountNow | None


@dataclass(eq=False)
class _Line:
    """Those who wait for one pool, oldest first."""

    waiters: list[_Waiter] = field(default_factory=list)
    stir: asyncio.Event = field(default_factory=asyncio.Event)
    rung: bool = False
    lent: frozenset[str] = frozenset()
    """Pools of others that the newest refusal was about, too."""
    due: datetime | None = None
    """When room appears by itself: a lease, a rest, a window or the day ends."""
    refused: dict[Wish, NoAccountNow] = field(default_factory=dict)
    """By the newest look."""
    known_until: datetime | None = None

    def known(self, wish: Wish, now: datetime) -> NoAccountNow | None:
        """What a look would say, where nothing can have changed since the last one."""
        quiet = not self.rung and (self.due is None or now < self.due)
        return self.refused.get(wish) if quiet and self.known_until and now < self.known_until else None


class WaitingRoom:
    """Keeps waiters by pool. Each ring and each end of a rest is one look at the tables for all of them."""

    def __init__(self, serve: Serve, clock: Clock, unwanted: Callable[[Granted], None]) -> None:
        self._serve = serve
        self._clock = clock
        self._unwanted = unwanted
        self._lines: dict[str, _Line] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.rings = 0
        """How often it was rung: who was refused just before a ring looks again."""

    def __contains__(self, pool: str) -> bool:
        """Whether somebody waits for a pool."""
        return pool in self._lines

    def __len__(self) -> int:
        """How many wait: they were looked for, and there was nothing."""
        return sum(waiter.refusal is not None for line in self._lines.values() for waiter in line.waiters)

    def ring(self, pool: str = "") -> None:
        """A pool's accounts may have room; the empty word means all pools."""
        self.rings += 1
        for name, line in list(self._lines.items()):
            if not pool or pool == name or pool in line.lent:
                _ring(line)

    async def wait(self, ask: Ask, seconds: float, refusal: NoAccountNow | None, rings: int) -> Granted:
        """A lease within `seconds`, else the newest refusal is raised.

        `refusal` is what it was told when the room had been rung `rings` times; without one it is served at once, in
        its turn, unless it was refused just now and nothing happened since.
        """
        pool = ask[0].pool
        line = self._lines.get(pool)
        if line is None:
            line = self._lines[pool] = _Line()
            task = asyncio.create_task(self._run(pool, line))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        refusal = refusal or line.known(ask[0], self._clock.now())
        until = self._clock.monotonic() + seconds
        waiter = _Waiter(ask, until, asyncio.get_running_loop().create_future(), refusal)
        line.waiters.append(waiter)
        if refusal is not None:
            line.due = min(refusal.available_at, line.due or refusal.available_at)
            line.lent |= refusal.pools
        line.rung = line.rung or refusal is None or rings != self.rings
        line.stir.set()
        try:
            return await delivered(waiter.answer, self._unwanted)
        finally:
            if waiter in line.waiters:
                line.waiters.remove(waiter)
            line.stir.set()

    async def close(self) -> None:
        """Stop serving."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, pool: str, line: _Line) -> None:
        try:
            while line.waiters:
                await self._rest(line)
                if self._is_due(line):
                    await self._look(line)
                self._dismiss(line)
        finally:
            if self._lines.get(pool) is line:
                del self._lines[pool]

    async def _rest(self, line: _Line) -> None:
        """Until it is rung, room appears by itself, or somebody has waited long enough."""
        line.stir.clear()
        if line.rung or not line.waiters:
            return
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(line.stir.wait()),
            asyncio.ensure_future(self._pause(line)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _pause(self, line: _Line) -> None:
        """Reckoned when it begins: time may have passed since it was asked for."""
        pause = min((waiter.until for waiter in line.waiters), default=0.0) - self._clock.monotonic()
        if line.due is not None:
            pause = min(pause, (line.due - self._clock.now()).total_seconds())
        await self._clock.sleep(max(0.0, pause))

    def _is_due(self, line: _Line) -> bool:
        return line.rung or (line.due is not None and line.due <= self._clock.now())

    async def _look(self, line: _Line) -> None:
        line.rung = False
        line.due = None
        line.refused = {}
        line.known_until = self._clock.now() + KNOWN_FOR
        waiters = [waiter for waiter in line.waiters if not waiter.answer.done()]
        if not waiters:
            return
        answers: Sequence[Granted | Exception]
        try:
            answers = await self._serve([waiter.ask for waiter in waiters])
        except Exception as error:  # noqa: BLE001 - each of those who wait is told
            answers = [error] * len(waiters)
        for waiter, answer in zip(waiters, answers, strict=True):
            if isinstance(answer, NoAccountNow):
                waiter.refusal = line.refused[waiter.ask[0]] = answer
                when = max(answer.available_at, self._clock.now() + SHORTEST_PAUSE)
                line.due = min(when, line.due or when)
                line.lent |= answer.pools
            else:
                settle(waiter.answer, answer, self._unwanted)

    def _dismiss(self, line: _Line) -> None:
        now = self._clock.monotonic()
        for waiter in line.waiters:
            if waiter.until <= now and waiter.refusal is not None:
                settle(waiter.answer, waiter.refusal)
        line.waiters = [waiter for waiter in line.waiters if not waiter.answer.done()]


def _ring(line: _Line) -> None:
    line.rung = True
    line.stir.set()
