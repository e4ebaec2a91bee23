"""What services see of their database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from xget_db.direct import Direct, Sender, Statements, Traced, Work, whole
from xget_db.engine.kept import Kept, Settings
from xget_db.engine.postgres import PostgresTables
from xget_db.engine.sqlite import SqliteTables, sqlite_path
from xget_db.failures import translated
from xget_db.locks import WRITES
from xget_db.postgres.address import is_postgres, parse

T = TypeVar("T")


class Tables(Protocol):
    """One kind of database."""

    settings: Settings | None
    writer: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]

    async def turn(self) -> asyncio.Lock | None: ...

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]: ...

    def sender(self, driver: Any) -> Sender: ...

    async def finish(self, driver: Any, work: Coroutine[Any, Any, T]) -> T: ...

    async def version(self) -> str: ...

    async def close(self) -> None: ...


class Database:
    """The tables of one service.

    `transaction()` writes: committed and on the disk when the block is left. On SQLite there is one writer at a time,
    on PostgreSQL there are many (READ COMMITTED): who decides by what he reads locks it (`xget_db.locks`).
    `read()` sees one consistent state and never waits for writers.
    Both raise Full (507) when the disk or its rights say no, and Unavailable (503, with `Retry-After`) when the
    database does not answer, is busy, or another change came in between. Nothing of a failed block is kept.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._tables: Tables = PostgresTables(parse(url)) if is_postgres(url) else SqliteTables(sqlite_path(url))
        self.engine = self._tables.writer
        self.sessions = self._tables.sessions
        self._read_sessions = self._tables.readers
        self._statements = Statements(self.engine.dialect)
        self._kept = Kept(self.engine, self._tables.settings)
        self._postgres = self.dialect == "postgresql"

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block, or rolls back when it raises. Do not nest."""
        with translated(writing=True):
            turn = await self._tables.turn()
            try:
                async with self.sessions() as session:
                    session.info[WRITES] = True
                    await session.connection()  # BEGIN IMMEDIATE now, so that what is read is still true at the commit
                    yield session
                    await session.commit()
            finally:
                if turn is not None:
                    turn.release()

    async def directly(self, work: Work[T]) -> T:
        """What `work` gives, done in one transaction of statements that are put together once (`xget_db.direct`).

        For what happens at every page: a fifth of the work of a session's. It awaits nothing but what it asks of the
        transaction; outbox and hooks of sessions have no part in it. On SQLite all of it is done in the connection's
        thread, in one switch: who is cancelled meanwhile does not know whether it was done, but never the half of it.
        """
        return await self._told(work, single=False)

    async def singly(self, work: Work[T]) -> T:
        """As `directly`, but on PostgreSQL each statement is a transaction of its own, and lasts when it is done.

        For work that writes at most once: the ways to the server that begin and end a transaction are saved.
        """
        return await self._told(work, single=self._postgres)

    async def _told(self, work: Work[T], *, single: bool) -> T:
        with translated(writing=True):
            turn = await self._tables.turn()
            try:
                direct, answer = await self._done(work, single=single)
            finally:
                if turn is not None:
                    turn.release()
        direct.tell()
        return answer

    async def _done(self, work: Work[T], *, single: bool) -> tuple[Direct, T]:
        async with self._kept.lent() as (connection, inner, driver):
            sender = Traced(self._tables.sender(driver), inner)
            direct = Direct(sender, self._statements, postgres=self._postgres, single=single)
            try:
                return direct, await self._tables.finish(driver, whole(direct, work))
            except BaseException:
                if direct.is_open:  # a connection that could not even be told to forget it
                    await connection.invalidate()
                raise

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session on one snapshot; writing through it fails."""
        with translated(writing=False):
            async with self._read_sessions() as session:
                yield session

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each commit that emitted events; call the result to stop that.

        On SQLite it hears the commits of this process, on PostgreSQL those of all processes as long as the connection
        holds, and once after it was lost.
        """
        return self._tables.on_commit(callback)

    async def ping(self) -> float:
        """Ask for an answer; the seconds it took. Raises Unavailable (503)."""
        began = time.perf_counter()
        async with self.read() as session:
            await session.execute(text("SELECT 1"))
        return time.perf_counter() - began

    async def version(self) -> str:
        """Engine and version, `PostgreSQL 18.1`. Raises Unavailable (503)."""
        with translated(writing=False):
            return await self._tables.version()

    async def close(self) -> None:
        """Close all connections."""
        await self._kept.close()
        await self._tables.close()
