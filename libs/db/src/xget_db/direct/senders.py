"""How statements come to a driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import asyncpg

from xget_db.failures import away

Step = tuple[str, Sequence[Any]]
"""A statement and what it is given."""


_OF_TRANSACTIONS: Final = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
"""Nothing of them is worth being prepared."""


class Sender(Protocol):
    """One connection, within one transaction."""

    @property
    def begin(self) -> str:
        """What begins a transaction."""

    async def send(self, steps: Sequence[Step]) -> Sequence[Sequence[Any]]:
        """Do these in their order; the rows of the last. Raises what the driver raises."""

    async def rollback(self) -> None:
        """Leave all as it was, if the database has not done so by itself."""


class SqliteSender:
    """For who is in the connection's thread: nothing waits."""

    begin: Final = "BEGIN IMMEDIATE"

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def send(self, steps: Sequence[Step]) -> Sequence[Sequence[Any]]:
        rows: list[Any] = []
        for text, given in steps:
            rows = self._raw.execute(text, given).fetchall()
        return rows

    async def rollback(self) -> None:
        if self._raw.in_transaction:  # a full disk ends a transaction before anybody asks
            self._raw.rollback()


class PostgresSender:
    """One step after another; the driver keeps the statements prepared."""

    begin: Final = "BEGIN"

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver

    async def send(self, steps: Sequence[Step]) -> Sequence[Sequence[Any]]:
        rows: Sequence[Sequence[Any]] = ()
        with self._heard():
            for text, given in steps:
                if text in _OF_TRANSACTIONS:
                    await self._driver.execute(text)
                else:
                    rows = await self._driver.fetch(text, *given)
        return rows

    async def command(self, text: str) -> None:
        """Several statements without values, that give nothing."""
        with self._heard():
            await self._driver.execute(text)

    async def rollback(self) -> None:
        await self.send([("ROLLBACK", ())])

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Raises Unavailable (503) when the server is gone."""
        try:
            yield
        except (OSError, asyncpg.InterfaceError) as error:
            if isinstance(error, OSError) or self._driver.is_closed():
                raise away("PostgreSQL does not answer") from error
            raise
