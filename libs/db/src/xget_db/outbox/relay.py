"""The sending side: carries outbox rows to the event log."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Container, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import Row, Table, delete, func, select

from xget_db.engine import Database
from xget_db.outbox.claiming import BATCH, Claims
from xget_db.outbox.refused import Aside
from xget_db.postgres.address import parse
from xget_kernel.clock import Clock
from xget_kernel.errors import TooLarge
from xget_kernel.messages import Message

_POLL_SECONDS: Final = 1.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

_log = logging.getLogger(__name__)


class EventPublisher(Protocol):
    """Where messages go."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return when all of `messages` are durable, in this order per topic and key. Raises when they may not be."""
        ...


class OutboxRelay:
    """Publishes outbox rows in order and deletes them afterwards: at least once.

    Run one per SQLite file; on PostgreSQL as many as there are processes, which share the keys among them.
    It wakes at each commit that emitted (`Database.on_commit`), and looks once a second in case it was not told.
    A log that fails is asked again after a growing pause (0.1 s to 30 s), for ever: the rows wait. A row that it
    refuses for good, because it is too large, is set aside until the next start, and what follows it goes on.
    """

    def __init__(self, db: Database, table: Table, log: EventPublisher, clock: Clock) -> None:
        self._db = db
        self._table = table
        self._log = log
        self._clock = clock
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failures = 0
        self._aside = Aside(table)
        self._new = True
        self._claims = Claims(table, parse(db.url)) if db.dialect == "postgresql" else None

    def wake(self) -> None:
        """Look for rows now. May be called from any thread."""
        if self._loop is None:
            self._bell.set()
            return
        with suppress(RuntimeError):  # the loop was closed: nobody is there to wake
            self._loop.call_soon_threadsafe(self._bell.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Carry rows until `stop` is set."""
        self._loop = asyncio.get_running_loop()
        deaf = self._db.on_commit(self.wake)
        stopping = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                self._bell.clear()
                await self._attempt(stop)
        finally:
            deaf()
            stopping.cancel()

    async def drain(self) -> int:
        """Publish all rows that wait now; how many, those set aside too. Raises what the log or the database raises."""
        sent = 0
        while count := await self._carry():
            sent += count
        return sent

    async def waiting(self) -> int:
        """How many rows wait."""
        async with self._db.read() as session:
            query = select(func.count()).select_from(self._table).where(self._aside.waiting)
            return await session.scalar(query) or 0

    async def refused(self) -> int:
        """How many rows the log has refused for good."""
        async with self._db.read() as session:
            return await self._aside.count(session)

    async def oldest(self) -> datetime | None:
        """When the first of the waiting rows was written; None without any."""
        async with self._db.read() as session:
            query = select(func.min(self._table.c.created_at)).where(self._aside.waiting)
            found: datetime | None = await session.scalar(query)
            return found

    async def _attempt(self, stop: asyncio.Event) -> None:
        try:
            if self._new:
                await self._take_back()
            await self.drain()
        except Exception as error:  # noqa: BLE001 - whatever the log raises, the rows must still be sent later
            self._failures += 1
            pause = _pause(self._failures)
            _log.warning("outbox_not_sent: %s; again in %.1f s", error or type(error).__name__, pause)
            await self._rest(stop, pause)
            return
        self._failures = 0
        await self._rest(self._bell, _POLL_SECONDS)

    async def _rest(self, until: asyncio.Event, seconds: float) -> None:
        """Sleep on the clock, but no longer than until the event is set."""
        waits = [asyncio.ensure_future(until.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._bell.set()

    async def _take_back(self) -> None:
        async with self._db.transaction() as session:
            await self._aside.take_back(session)
        self._new = False

    async def _carry(self) -> int:
        """Publish and delete some rows; how many."""
        if self._claims is not None:
            return await self._carry_claimed(self._claims)
        batch = await self._next()
        if batch:
            refused = await self._send(batch)
            async with self._db.transaction() as session:
                await session.execute(delete(self._table).where(self._table.c.id.in_(_sent(batch, refused))))
                await self._aside.put(session, refused)
        return len(batch)

    async def _carry_claimed(self, claims: Claims) -> int:
        async with self._db.transaction() as session:
            batch = await claims.take(session)
            if batch:
                refused = await self._send(batch)
                await claims.drop(session, _sent(batch, refused))
                await self._aside.put(session, refused)
        return len(batch)

    async def _next(self) -> Sequence[Row[Any]]:
        query = select(self._table).where(self._aside.waiting).order_by(self._table.c.id).limit(BATCH)
        async with self._db.read() as session:
            return (await session.execute(query)).all()

    async def _send(self, rows: Sequence[Row[Any]]) -> dict[int, tuple[dict[str, str], str]]:
        """Publish in order; headers and reason of those that the log will never take, by id."""
        try:
            await self._log.publish([_message(row) for row in rows])
        except TooLarge as error:
            if len(rows) == 1:
                (row,) = rows
                _log.error("outbox_row_refused: %s (topic %s, key %s)", error.detail, row.topic, row.key)
                return {row.id: (row.headers, error.detail)}
            middle = len(rows) // 2
            return await self._send(rows[:middle]) | await self._send(rows[middle:])
        return {}


def _message(row: Row[Any]) -> Message:
    return Message(topic=row.topic, key=row.key, value=row.value, headers=row.headers)


def _sent(rows: Sequence[Row[Any]], refused: Container[int]) -> list[int]:
    return [row.id for row in rows if row.id not in refused]


def _pause(failures: int) -> float:
    """Seconds before the next attempt: doubling, with jitter so that relays do not march in step."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 16)) * random.uniform(0.5, 1.0)
