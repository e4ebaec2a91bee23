"""One SQLite file, one thread that writes and one that reads: plain sqlite3 beats async wrappers several times.

The write-ahead log lets the reader go on while a batch is written. `synchronous=FULL`: what was acknowledged survives
a power cut.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from xget_kernel.errors import Full, StartupError, Unavailable, XGetError

_Result = TypeVar("_Result")

_NO_ROOM: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_CACHE_KIB: Final = 8 * 1024
_BUSY_SECONDS: Final = 10


class SqliteFile:
    """Runs functions on connections to one file. `schema` is a list of scripts; the file remembers how many it has."""

    def __init__(self, path: Path, schema: tuple[str, ...]) -> None:
        self._path = path
        self._schema = schema
        self._writer = _Connection(path, f"{path.stem}-write")
        self._reader = _Connection(path, f"{path.stem}-read")
        self._opening = asyncio.Lock()
        self._open = False

    async def open(self) -> None:
        """Create or upgrade the file. Raises StartupError when it belongs to a newer version."""
        async with self._opening:
            if not self._open:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                await self._writer.run(lambda connection: _upgrade(connection, self._path, self._schema))
                self._open = True

    async def write(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run `work` in one transaction; committed when this returns. Raises Full or Unavailable."""
        await self.open()
        return await self._writer.run(lambda connection: _transaction(connection, work))

    async def read(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Run `work` on one state of the file."""
        await self.open()
        return await self._reader.run(lambda connection: _snapshot(connection, work))

    async def close(self) -> None:
        """Close both connections; twice is fine."""
        await self._reader.close()
        await self._writer.close()


class _Connection:
    """A connection that lives in its own thread."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        if self._closed:
            raise Unavailable(f"The file {self._path.name} is closed: the service is stopping.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    def _work(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
            return work(self._connection)
        except sqlite3.OperationalError as error:
            raise _translated(error, self._path.name) from error

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
            self._thread.shutdown()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA optimize")
            self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS, cached_statements=256)
    _keep_a_log(connection)
    for pragma in ("synchronous=FULL", f"cache_size=-{_CACHE_KIB}", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to the write-ahead log. SQLite does not wait for another who is just doing that: we do."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result


def _snapshot(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        with suppress(sqlite3.Error):
            connection.execute("COMMIT")


def _upgrade(connection: sqlite3.Connection, path: Path, schema: tuple[str, ...]) -> None:
    known = connection.execute("PRAGMA user_version").fetchone()[0]
    if known > len(schema):
        raise StartupError(
            f"{path.name} was written by a newer XGet (layout {known}, this one knows {len(schema)}): "
            "start the newer XGet, or choose another folder with --home."
        )
    for version in range(known, len(schema)):
        script = f"BEGIN IMMEDIATE; {schema[version]}; PRAGMA user_version = {version + 1}; COMMIT;"
        try:
            connection.executescript(script)
        except sqlite3.OperationalError:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if connection.execute("PRAGMA user_version").fetchone()[0] <= version:
                raise


def _translated(error: sqlite3.OperationalError, name: str) -> XGetError:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary in _NO_ROOM:
        return Full(f"The file {name} cannot be written ({error}): make room on the disk; nothing stored was lost.")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(f"The file {name} is busy: try again.")
    return Unavailable(f"The file {name} could not be used: {error}.")
