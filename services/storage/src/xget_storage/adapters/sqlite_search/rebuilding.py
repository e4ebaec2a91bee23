"""Builds the index again in its own file, row by row, while it is used.

Every row remembers the rebuild that last wrote it, whoever did. A rebuild replaces the rows that it has not met yet by
what the documents say, and deletes at its end the rows that nobody has written since it began. Each piece is one
transaction together with the key that it ends at: after kill -9 the next rebuild continues there. The lock is the
operating system's and ends with the process.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.adapters.sqlite_rows import number
from xget_storage.adapters.sqlite_search.writing import Indexing, delete, forget
from xget_storage.errors import RebuildRunning
from xget_storage.models import StoredItem
from xget_storage.service.analysis import Analyzer

_PRUNED_AT_ONCE: Final = 5000


@asynccontextmanager
async def rebuilding(path: Path, file: SqliteFile, analyzer: Analyzer) -> AsyncIterator[SqliteRebuild]:
    """A rebuild of the index in `file`. Raises RebuildRunning (409)."""
    await file.open()
    with _locked(path.with_suffix(".rebuild.lock")):
        yield SqliteRebuild(file, analyzer, await file.write(_begin))


class SqliteRebuild:
    """`Rebuild` on SQLite; see the port for what each method promises."""

    def __init__(self, file: SqliteFile, analyzer: Analyzer, after: str | None) -> None:
        self._file = file
        self._analyzer = analyzer
        self.after = after

    async def take(self, found: Mapping[str, StoredItem | int]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            items = [item for item in found.values() if isinstance(item, StoredItem)]
            Indexing(connection, self._analyzer, anew=True).run(items)
            delete(connection, {key: rev for key, rev in found.items() if isinstance(rev, int)}, anew=True)
            connection.execute("UPDATE rebuilds SET after = ?", (last,))

        if found:
            last = list(found)[-1]
            await self._file.write(write)
            self.after = last

    async def finish(self) -> None:
        above: int | None = 0
        while above is not None:
            above = await self._file.write(partial(_prune, above))
        sql = "UPDATE rebuilds SET running = 0, after = NULL"
        await self._file.write(lambda connection: connection.execute(sql))


def _begin(connection: sqlite3.Connection) -> str | None:
    running, after = connection.execute("SELECT running, after FROM rebuilds").fetchone()
    if running:
        return None if after is None else str(after)
    connection.execute("UPDATE rebuilds SET number = number + 1, running = 1, after = NULL")
    return None


def _prune(above: int, connection: sqlite3.Connection) -> int | None:
    """Delete what was not met among the next rows; the number of the last of them, None when there are none."""
    rebuild = number(connection, "SELECT number FROM rebuilds")
    sql = "SELECT id, terms, rebuilt FROM found WHERE id > ? ORDER BY id LIMIT ?"
    rows = connection.execute(sql, (above, _PRUNED_AT_ONCE)).fetchall()
    for found, terms, rebuilt in rows:
        if rebuilt != rebuild:
            forget(connection, found, terms)
            connection.execute("DELETE FROM found WHERE id = ?", (found,))
    return rows[-1][0] if rows else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RebuildRunning("Somebody rebuilds this search index already: wait for its end.") from error
        yield
    finally:
        os.close(handle)
