"""Who used which account, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import AUDIT, Base, LeaseLog
from xget_db.audit import prune
from xget_kernel.pages import PageQuery


class UseRepository:
    """The lease log within one transaction, and the end of what is old."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, account_id: str, page: PageQuery) -> tuple[Sequence[LeaseLog], int]:
        """One page of an account's uses, the latest first, and how many there are."""
        wanted = select(LeaseLog).where(LeaseLog.account_id == account_id)
        total = await self._session.scalar(select(func.count()).select_from(wanted.subquery()))
        latest = wanted.order_by(LeaseLog.last_at.desc(), LeaseLog.holder, LeaseLog.operation)
        return list(await self._session.scalars(latest.offset(page.offset).limit(page.limit))), total or 0

    async def prune_audit(self, before: datetime, most: int) -> int:
        """Remove up to `most` older rows of the audit trail; how many were."""
        return await prune(self._session, AUDIT, "at", before, most)

    async def prune_leases(self, before: datetime, most: int) -> int:
        """Remove up to `most` uses whose last is older; how many were."""
        return await prune(self._session, Base.metadata.tables[LeaseLog.__tablename__], "last_at", before, most)
