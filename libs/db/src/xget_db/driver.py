"""SQLite connections that need one thread switch per statement.

The stock driver makes a switch each for opening a cursor, executing, fetching and closing; for the small transactions
of a service that is most of their time. Here the first rows come back with the execution itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import aiosqlite

_FIRST_ROWS: Final = 1000
_NONE: Final = -1


async def connect(path: Path, pragmas: Sequence[str]) -> FastConnection:
    """An open connection that begins no transaction by itself. Raises sqlite3.Error."""

    def opened() -> sqlite3.Connection:
        raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in pragmas:
                raw.execute(pragma)
        except BaseException:
            raw.close()
            raise
        return raw

    connection = FastConnection(opened, 64)
    connection._thread.daemon = True  # a connection that a crash left open must not keep the process alive
    await connection
    return connection


class FastConnection(aiosqlite.Connection):
    """The driver's connection with cursors that cost nothing to open and close."""

    def cursor(self) -> FastCursor:  # type: ignore[override]  # all that SQLAlchemy asks of a cursor is there
        return FastCursor(self)

    def stop(self) -> None:
        """End the thread behind what it still has to do. Nobody is told: the loop may be closed by then."""

        def end() -> object:
            raw, self._connection = self._connection, None
            if raw is not None:
                raw.close()
            return aiosqlite.core._STOP_RUNNING_SENTINEL

        self._running = False
        self._tx.put_nowait((None, end))

    async def run(self, step: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call `step` with the raw connection in its thread."""
        return await self._execute(step, self._conn)  # type: ignore[no-untyped-call]  # the driver leaves it untyped

    async def commit(self) -> None:
        try:
            await super().commit()
        except sqlite3.Error:
            # SQLAlchemy takes the transaction for ended; SQLite keeps it open, and the next user would find it.
            await self.rollback()
            raise

    async def rollback(self) -> None:
        if self._conn.in_transaction:
            await super().rollback()


class FastCursor:
    """Rows of one statement: the first thousand with its execution, the others when they are wanted."""

    arraysize = 1

    def __init__(self, connection: FastConnection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        self._rows: deque[Any] = deque()
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = _NONE

    async def __aenter__(self) -> FastCursor:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> FastCursor:
        def step(raw: sqlite3.Connection) -> None:
            self._take(raw.execute(sql, tuple(parameters)), _FIRST_ROWS)

        await self._connection.run(step)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> FastCursor:
        def step(raw: sqlite3.Connection) -> None:
            self._take(raw.executemany(sql, parameters), _FIRST_ROWS)

        await self._connection.run(step)
        return self

    async def fetchall(self) -> list[Any]:
        return await self._pop(None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        return await self._pop(size or self.arraysize)

    async def fetchone(self) -> Any:
        rows = await self._pop(1)
        return rows[0] if rows else None

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (row := await self.fetchone()) is not None:
            yield row

    async def close(self) -> None:
        self._rows.clear()
        cursor, self._open = self._open, None
        if cursor is not None:
            with contextlib.suppress(ValueError):  # the connection was closed meanwhile, and the cursor with it
                await self._connection.run(lambda _raw: cursor.close())

    async def _pop(self, size: int | None) -> list[Any]:
        """The next `size` rows, None for all."""
        cursor = self._open
        if cursor is not None and (size is None or len(self._rows) < size):
            await self._connection.run(lambda _raw: self._take(cursor, size and max(size, _FIRST_ROWS)))
        count = len(self._rows) if size is None else min(size, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    def _take(self, cursor: sqlite3.Cursor, size: int | None) -> None:
        """In the connection's thread: fetch up to `size` rows and close the cursor behind the last."""
        self.description = cursor.description
        rows: list[Any] = []
        if cursor.description:
            rows = cursor.fetchall() if size is None else cursor.fetchmany(size)
        self._rows.extend(rows)
        self.lastrowid, self.rowcount = cursor.lastrowid, cursor.rowcount
        if size is None or len(rows) < size:
            cursor.close()
            self._open = None
        else:
            self._open = cursor
