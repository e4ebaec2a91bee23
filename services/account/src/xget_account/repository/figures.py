"""SQL of what is measured, over all owners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import ACTIVE, HEALTHY, STORED, Account
from xget_account.repository.listing import OTHER_STATE


@dataclass(frozen=True)
class Budget:
    """What is left of today."""

    accounts: int
    """Healthy accounts that may be used and have requests left."""
    requests: int
    """Their requests left, together."""


class FigureRepository:
    """Counts within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def accounts(self) -> dict[tuple[str, ...], float]:
        """How many accounts there are, by status."""
        # those that are not ACTIVE are in an index by state; to group all of them is to sort, in memory on SQLite
        others = select(Account.status, func.count()).where(OTHER_STATE).group_by(Account.status)
        counts: dict[str, int] = dict(iter(await self._session.execute(others)))
        total = await self._session.scalar(select(func.count()).select_from(Account)) or 0
        counts[ACTIVE] = total - sum(counts.values())
        return {(status,): counts[status] for status in STORED if counts.get(status)}

    async def budget(self, now: datetime, daily: int) -> Budget:
        """What healthy accounts have left today; `daily` is the budget of those without one of their own."""
        used = case((Account.used_day == now.date().isoformat(), Account.used_today), else_=0)
        left = func.coalesce(Account.daily_budget, daily) - used
        query = select(func.count(), func.coalesce(func.sum(left), 0)).where(
            Account.active,
            Account.status.in_(HEALTHY),
            Account.cookies.is_not(None),
            or_(Account.rest_until.is_(None), Account.rest_until <= now),
            left > 0,
        )
        accounts, requests = (await self._session.execute(query)).one()
        return Budget(accounts, int(requests))
