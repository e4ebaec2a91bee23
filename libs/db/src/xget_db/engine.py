"""Sessions on one service's database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from xget_db import pending
from xget_db.driver import connect
from xget_db.failures import translated
from xget_db.sharing import shared
from xget_kernel.errors import StartupError, Unavailable

BUSY_SECONDS: Final = 10
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)


class Database:
    """The tables of one service.

    `transaction()` writes: one writer at a time per file, committed and on the disk when the block is left.
    `read()` sees one consistent state and never waits for writers.
    Both raise Full (507) when the disk or its rights say no, Unavailable (503) when another process holds the file.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = sqlite_path(url)
        _make_folder(self.path.parent)
        self._shared = shared(str(self.path.absolute()))
        self.engine = _engine(self.path, "BEGIN IMMEDIATE", _PRAGMAS)
        self._reader = _engine(self.path, "BEGIN", (*_PRAGMAS, "PRAGMA query_only = ON"))
        self.sessions = _sessions(self.engine)
        self._read_sessions = _sessions(self._reader)
        pending.send_with_commit(self.sessions, self._shared.ring)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end of the block, or rolls back when it raises. Do not nest."""
        with translated(writing=True):
            turn = self._shared.turn()
            await _wait_for(turn)
            try:
                async with self.sessions() as session:
                    await session.connection()  # BEGIN IMMEDIATE now, so that what is read is still true at the commit
                    yield session
                    await session.commit()
            finally:
                turn.release()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session on one snapshot; writing through it fails."""
        with translated(writing=False):
            async with self._read_sessions() as session:
                yield session

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each commit in this process that emitted events; call the result to stop that."""
        return self._shared.listen(callback)

    async def close(self) -> None:
        """Close all connections."""
        await self._reader.dispose()
        await self.engine.dispose()


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL. Raises StartupError for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StartupError("DATABASE_URL is not a database URL: write sqlite+aiosqlite:///path or unset it.") from error
    if parsed.get_backend_name() != "sqlite":
        raise StartupError(
            f"This release keeps its tables in SQLite and cannot use {parsed.get_backend_name()}: unset DATABASE_URL."
        )
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise StartupError("DATABASE_URL needs the path of a file: write sqlite+aiosqlite:///path or unset it.")
    return Path(parsed.database)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartupError(
            f"The folder {folder} cannot be made ({error.strerror}): give this user the right or set XGET_HOME."
        ) from error


async def _wait_for(turn: asyncio.Lock) -> None:
    if not turn.locked():
        await turn.acquire()
        return
    try:
        async with asyncio.timeout(BUSY_SECONDS):
            await turn.acquire()
    except TimeoutError as error:
        raise Unavailable("The database is busy with another write: try again in a moment.") from error


def _sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    # Each database has its own class of sessions, so that listening to one does not mean listening to all.
    sync: type[Session] = sessionmaker().class_
    return async_sessionmaker(engine, expire_on_commit=False, sync_session_class=sync)


def _engine(path: Path, begin: str, pragmas: tuple[str, ...]) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        async_creator=lambda: connect(path, pragmas),
        pool_size=4,
        max_overflow=6,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
