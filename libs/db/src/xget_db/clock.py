"""One time for all processes on a database: that of its server.

Leases, waits and ends are written by one process and judged by another, whose machine's clock may be minutes off. On
PostgreSQL each of them follows the server's clock instead; a SQLite file has one machine and one clock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from xget_db.engine import Database
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import XGetError

_log = logging.getLogger(__name__)
REFRESH_SECONDS: Final = 30.0
QUESTIONS: Final = 5
"""Of so many answers in a row the fastest counts."""
LONGEST_TRIP: Final = 1.0
"""Seconds; a slower answer is off by up to half of it, and what was measured before is better."""
STEP: Final = timedelta(seconds=1)
"""The machine's clock was set, or the machine slept, when its time and its monotonic time differ by so much."""
WORTH_SAYING: Final = 2.0
_NOW: Final = text("SELECT clock_timestamp()")

Ask = Callable[[], Awaitable[datetime]]
Server = Callable[[], AbstractAsyncContextManager[Ask]]
"""Opens something to ask for the server's time, several times in a row."""


class _Measured(NamedTuple):
    server: datetime
    monotonic: float
    trip: float


class ServerClock:
    """The given clock, until it follows a database: from then on the time of that database's server.

    It counts on by the machine's monotonic clock from the last answer, within half a round trip of the server's time.
    It asks anew every 30 s, and at once after the machine's clock was set. While the server is away it counts on.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._measured: _Measured | None = None
        self._started = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        self._bell = asyncio.Event()

    def now(self) -> datetime:
        own, monotonic = self._clock.now(), self._clock.monotonic()
        if self._measured is None:
            return own
        if abs(own - timedelta(seconds=monotonic) - self._started) > STEP:
            self._bell.set()
        return self._measured.server + timedelta(seconds=monotonic - self._measured.monotonic)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    @asynccontextmanager
    async def following(self, database: Database) -> AsyncIterator[None]:
        """Follow the server of `database` for the length of the block. Raises Unavailable (503).

        On SQLite, and over any clock but the machine's (a test's own), it goes on as it was.
        """
        if database.dialect == "postgresql" and type(self._clock) is SystemClock:
            async with self.following_server(time_of(database)):
                yield
        else:
            yield

    @asynccontextmanager
    async def following_server(self, server: Server) -> AsyncIterator[None]:
        """Follow whatever tells its time. Raises what `server` raises when it does not answer at the beginning."""
        await self._measure(server)
        refreshing = asyncio.create_task(self._refresh(server))
        try:
            yield
        finally:
            refreshing.cancel()
            await asyncio.gather(refreshing, return_exceptions=True)

    async def _refresh(self, server: Server) -> None:
        while True:
            await self._rest()
            try:
                await self._measure(server)
            except (XGetError, SQLAlchemyError, OSError, TimeoutError) as error:
                _log.warning("The server's clock was not read, the last answer still counts: %s", error)

    async def _rest(self) -> None:
        waits = [asyncio.ensure_future(self._clock.sleep(REFRESH_SECONDS)), asyncio.ensure_future(self._bell.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _measure(self, server: Server) -> None:
        self._bell.clear()
        self._started = self._clock.now() - timedelta(seconds=self._clock.monotonic())
        async with server() as ask:
            best = min([await self._question(ask) for _ in range(QUESTIONS)], key=lambda one: one.trip)
        if self._measured is not None and best.trip > LONGEST_TRIP:
            _log.warning("The server's clock was not read: the fastest answer took %.1f s.", best.trip)
            return
        before, self._measured = self.now(), best
        step = (self.now() - before).total_seconds()
        if abs(step) > WORTH_SAYING:
            _log.warning("The database server's clock is followed: it is %+.1f s off the one before.", step)

    async def _question(self, ask: Ask) -> _Measured:
        began = self._clock.monotonic()
        told = await ask()
        trip = self._clock.monotonic() - began
        return _Measured(told, began + trip / 2, trip)


def time_of(database: Database) -> Server:
    """Asks the PostgreSQL server of `database`, on one connection."""

    @asynccontextmanager
    async def asking() -> AsyncIterator[Ask]:
        async with database.read() as session:

            async def ask() -> datetime:
                told: datetime = (await session.execute(_NOW)).scalar_one()
                return told

            yield ask

    return asking
