"""Looks at who did what, and forgets what is old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """What a list is narrowed to; None does not narrow."""

    owner_id: str | None = None
    actor: str | None = None
    subject_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditRepository:
    """Rows of a table `audit` within one transaction."""

    def __init__(self, session: AsyncSession, table: Table) -> None:
        self._session = session
        self._table = table

    async def slice(self, wanted: AuditFilter, before: str | None, limit: int) -> Sequence[Row[Any]]:
        """Up to `limit` rows that fit, newest first, older than the row `before`."""
        columns = self._table.c
        query = select(self._table)
        for name in ("owner_id", "actor", "subject_id", "action"):
            if (value := getattr(wanted, name)) is not None:
                query = query.where(columns[name] == value)
        if wanted.since is not None:
            query = query.where(columns.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(columns.at < wanted.until)
        if before is not None:
            query = query.where(columns.id < before)
        return (await self._session.execute(query.order_by(columns.id.desc()).limit(limit))).all()

    async def prune(self, before: datetime, most: int) -> int:
        """Remove up to `most` rows that are older; how many were."""
        return await prune(self._session, self._table, "at", before, most)


async def prune(session: AsyncSession, table: Table, column: str, before: datetime, most: int) -> int:
    """Remove up to `most` rows of a table whose time is before; how many were."""
    keys = list(table.primary_key.columns)
    old = select(*keys).where(table.c[column] < before).limit(most)
    rows = (await session.execute(old)).all()
    if rows:
        await session.execute(delete(table).where(tuple_(*keys).in_([tuple(row) for row in rows])))
    return len(rows)
