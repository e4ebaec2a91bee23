"""Rows of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Executable, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import AuditEntry
from xget_db.audit import By
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery


def key_note(by: By, action: str, details: dict[str, object], at: datetime) -> Executable:
    """A line about what somebody does to the keys that encrypt signing keys."""
    return insert(AuditEntry).values(id=new_id(), at=at, event=action, user_id=by.actor, address="")


class AuditRepository:
    """Entries are added and read, never changed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, entry: AuditEntry) -> None:
        self._session.add(entry)

    async def page(self, query: PageQuery) -> tuple[Sequence[AuditEntry], int]:
        """Newest first, and how many there are."""
        total = await self._session.scalar(select(func.count()).select_from(AuditEntry)) or 0
        rows = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        found = await self._session.scalars(rows.offset(query.offset).limit(query.limit))
        return found.all(), total
