"""Connections that stay with direct work for a moment: a way out of the pool and back costs as much as a choice.

Who needs a connection of the pool waits for that moment at most, and never for one where few are left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection, QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xget_db.direct import PostgresSender

MOMENT: Final = 0.2
"""Seconds."""


@dataclass(frozen=True)
class Settings:
    """What a connection is told for direct work, and told again before others have it."""

    direct: str
    ordinary: str


class Kept:
    """One engine's."""

    def __init__(self, engine: AsyncEngine, settings: Settings | None) -> None:
        self._engine = engine
        self._settings = settings
        self._idle: deque[tuple[float, AsyncConnection, Any]] = deque()
        """Since when, the oldest first; with the driver's connection."""
        self._sweeping: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[tuple[AsyncConnection, Connection, Any]]:
        """A connection, and what SQLAlchemy and the driver have of it.

        One whose block raised goes back to the pool, which looks after it.
        """
        connection, inner, driver = await self._taken()
        try:
            yield connection, inner, driver
        except BaseException:
            await self._back(connection, driver)
            raise
        pool = self._engine.pool
        if not isinstance(pool, QueuePool) or pool.checkedout() >= pool.size():
            await self._back(connection, driver)
            return
        self._idle.append((asyncio.get_running_loop().time(), connection, driver))
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Give all of them to the pool."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None
        while self._idle:
            await self._back(*self._idle.popleft()[1:])

    async def _taken(self) -> tuple[AsyncConnection, Connection, Any]:
        while self._idle:
            _, connection, driver = self._idle.pop()
            if not _dead(driver):
                return connection, _inner(connection), driver
            await self._back(connection, driver)
        connection = await self._engine.connect()
        inner = _inner(connection)
        driver = inner.connection.driver_connection
        if self._settings is not None:
            try:
                await _tell(driver, self._settings.direct)
            except BaseException:
                await self._dropped(connection)
                raise
        return connection, inner, driver

    async def _back(self, connection: AsyncConnection, driver: Any) -> None:
        """Into the pool as it came; never one that could not be told so."""
        if not connection.invalidated and self._settings is not None:
            try:
                await _tell(driver, self._settings.ordinary)
            except BaseException as error:  # whatever it says, nobody else is to have it
                await self._dropped(connection)
                if isinstance(error, Exception):
                    return
                raise
        await connection.close()

    async def _dropped(self, connection: AsyncConnection) -> None:
        await connection.invalidate()
        await connection.close()

    async def _sweep(self) -> None:
        """Give back to the pool what nobody took again."""
        while self._idle:
            await asyncio.sleep(MOMENT)
            before = asyncio.get_running_loop().time() - MOMENT
            while self._idle and self._idle[0][0] <= before:
                await self._back(*self._idle.popleft()[1:])


def _inner(connection: AsyncConnection) -> Connection:
    return cast(Connection, connection.sync_connection)  # None only before it is opened


async def _tell(driver: Any, text: str) -> None:
    """Raises Unavailable (503) when the server is gone."""
    await PostgresSender(driver).command(text)


def _dead(driver: Any) -> bool:
    return bool(getattr(driver, "is_closed", bool)())
