"""Rows that the event log will never take, as a body above its topic's limit: they stand aside, so that the rest flows.

Such a row stays in the table and keeps the reason among its headers, as a dead letter does. Each start of a relay tries
it again: a limit may have been raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

REASON: Final = "xget-refused"
_LONGEST: Final = 500


class Aside:
    """The refused rows of an outbox."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._reason = table.c.headers[REASON].as_string()

    @property
    def waiting(self) -> ColumnElement[bool]:
        """Whether a row still waits to be sent."""
        found: ColumnElement[bool] = self._reason.is_(None)
        return found

    async def put(self, session: AsyncSession, rows: Mapping[int, tuple[Mapping[str, str], str]]) -> None:
        """Set rows aside: headers and reason by id."""
        for number, (headers, reason) in rows.items():
            told = {**headers, REASON: reason[:_LONGEST]}
            await session.execute(update(self._table).where(self._table.c.id == number).values(headers=told))

    async def take_back(self, session: AsyncSession) -> int:
        """Let all of them wait again; how many."""
        query = select(self._table.c.id, self._table.c.headers).where(~self.waiting)
        rows = (await session.execute(query)).all()
        for row in rows:
            headers = {name: value for name, value in row.headers.items() if name != REASON}
            await session.execute(update(self._table).where(self._table.c.id == row.id).values(headers=headers))
        return len(rows)

    async def count(self, session: AsyncSession) -> int:
        """How many there are."""
        return await session.scalar(select(func.count()).select_from(self._table).where(~self.waiting)) or 0

    async def oldest(self, session: AsyncSession, limit: int = 3) -> Sequence[tuple[datetime, str, str]]:
        """When the first of them were written, their topics, and why they were refused."""
        query = select(self._table.c.created_at, self._table.c.topic, self._reason).where(~self.waiting)
        found = (await session.execute(query.order_by(self._table.c.id).limit(limit))).all()
        return [(row[0], row[1], row[2]) for row in found]
