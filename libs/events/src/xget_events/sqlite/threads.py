"""A SQLite connection that lives in a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from xget_events.errors import LogClosed
from xget_events.sqlite.schema import connect
from xget_kernel.errors import Full, Unavailable, XGetError

P = ParamSpec("P")
T = TypeVar("T")

NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class Threaded:
    """One connection and the one thread that uses it. The file is opened by the first call."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work(connection, …)` in the thread. Raises errors.Full, errors.Unavailable, LogClosed."""
        if self._closed:
            raise LogClosed("The event log is closed.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self._call(work, *args, **kwargs))

    def _call(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            if self._connection is None:
                self._connection = connect(self._path)
            return work(self._connection, *args, **kwargs)
        except sqlite3.OperationalError as error:
            raised = translated(error, self._path)
            if raised is None:
                raise
            raise raised from error

    async def close(self) -> None:
        """Close the connection after the work in hand; twice is fine."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._pool, self._close)
        self._pool.shutdown()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def translated(error: sqlite3.Error, path: Path) -> XGetError | None:
    """The typed error for a full or busy disk; None for anything else, which is a bug."""
    code = error.sqlite_errorcode & 0xFF
    if code in NO_ROOM:
        return Full(f"The event log {path.name} cannot be written ({error}): free some space, then go on.")
    if code in BUSY:
        return Unavailable(f"The event log {path.name} is busy: another process holds it.")
    return None
