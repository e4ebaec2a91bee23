"""Connections to a SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from xget_db import pending
from xget_db.direct import Sender, SqliteSender, finished
from xget_db.driver import FastConnection, connect
from xget_db.engine.kept import Settings
from xget_db.engine.sessions import sessions_of
from xget_db.sharing import shared
from xget_kernel.errors import StartupError, Unavailable

T = TypeVar("T")

BUSY_SECONDS: Final = 10
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)


class SqliteTables:
    """The connections to one file: one writer at a time, readers beside it."""

    settings: Settings | None = None

    def __init__(self, path: Path) -> None:
        _make_folder(path.parent)
        self._shared = shared(str(path.absolute()))
        self.writer = _engine(path, "BEGIN IMMEDIATE", _PRAGMAS)
        self.reader = _engine(path, "BEGIN", (*_PRAGMAS, "PRAGMA query_only = ON"))
        self.sessions = sessions_of(self.writer)
        self.readers = sessions_of(self.reader)
        pending.send_with_commit(self.sessions, self._shared.ring)

    async def turn(self) -> asyncio.Lock:
        """Held by the one who writes. Raises Unavailable (503) when it stays taken."""
        turn = self._shared.turn()
        if not turn.locked():
            await turn.acquire()
            return turn
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await turn.acquire()
        except TimeoutError as error:
            raise Unavailable("The database is busy with another write: try again in a moment.") from error
        return turn

    def sender(self, driver: FastConnection) -> Sender:
        """What gives statements to a connection, in its thread."""
        return SqliteSender(driver.raw)

    async def finish(self, driver: FastConnection, work: Coroutine[Any, Any, T]) -> T:
        """Do work that waits for nothing but its statements, in the connection's thread."""
        context = copy_context()
        answer: T = await driver.run(lambda _raw: context.run(finished, work))
        return answer

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after commits of this process that emitted."""
        return self._shared.listen(callback)

    async def version(self) -> str:
        """Of the library."""
        return f"SQLite {sqlite3.sqlite_version}"

    async def close(self) -> None:
        """Close all connections."""
        await self.reader.dispose()
        await self.writer.dispose()


def sqlite_path(url: str) -> Path:
    """The file of a SQLite URL. Raises StartupError for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StartupError("DATABASE_URL is not a database URL: write sqlite+aiosqlite:///path or unset it.") from error
    if parsed.get_backend_name() != "sqlite":
        raise StartupError(
            f"The tables cannot be kept in {parsed.get_backend_name()}: DATABASE_URL names SQLite or PostgreSQL."
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
