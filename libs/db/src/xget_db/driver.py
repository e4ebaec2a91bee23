"""SQLite connections that need one thread switch per statement.

The stock driver makes a switch each for opening a cursor, executing, fetching and closing; for the small transactions
of a service that is most of their time. Here the first rows come back with the execution itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final

import aiosqlite

_FIRST_ROWS: Final = 1000
_NONE: Final = -1


async def connect(path: Path, pragmas: Sequence[str]) -> FastConnection:
    """An open connection that begins no transaction by itself. Raises sqlite3.Error."""
    connection = FastConnection(path, pragmas)
    await connection
    return connection


class FastConnection(aiosqlite.Connection):
    """The driver's connection with cursors that cost nothing to open and close, and a thread that outlives its loop."""

    def __init__(self, path: Path, pragmas: Sequence[str]) -> None:
        super().__init__(self._open, 64)
        self._path, self._pragmas = path, pragmas
        self._made: sqlite3.Connection | None = None
        # a connection that a crash left open must not keep the process alive
        self._thread = Thread(target=_serve, args=(self._tx,), daemon=True)

    def _open(self) -> sqlite3.Connection:
        """In the thread."""
        self._made = raw = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in self._pragmas:
            raw.execute(pragma)
        return raw

    def cursor(self) -> FastCursor:  # type: ignore[override]  # all that SQLAlchemy asks of a cursor is there
        return FastCursor(self)

    def stop(self) -> None:
        """End the thread behind what it still has to do. Nobody is told: the loop may be closed by then."""

        def end() -> object:
            self._connection = None
            if self._made is not None:  # also one that was opened for somebody who had gone
                self._made.close()
            return aiosqlite.core._STOP_RUNNING_SENTINEL

        self._running = False
        self._tx.put_nowait((None, end))

    @property
    def raw(self) -> sqlite3.Connection:
        """The library's connection, for who is in its thread."""
        return self._conn

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


def _serve(steps: SimpleQueue[tuple[asyncio.Future[Any] | None, Callable[[], Any]]]) -> None:
    """Do one step after another until the last. The driver's own thread dies of an answer that nobody can hear."""
    answer: Any = None
    while answer is not aiosqlite.core._STOP_RUNNING_SENTINEL:
        future, step = steps.get()
        try:
            answer = step()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told to who asked
            _tell(future, aiosqlite.core.set_exception, error)
        else:
            _tell(future, aiosqlite.core.set_result, answer)


def _tell(future: asyncio.Future[Any] | None, way: Callable[[asyncio.Future[Any], Any], None], answer: Any) -> None:
    if future is not None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: who asked has gone
            future.get_loop().call_soon_threadsafe(way, future, answer)


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
