"""What may be spent on official APIs, as SQL: held before a request is made, corrected when its answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import Account, ApiAccess
from xget_account.repository.room import Wish, this_month


async def hold(session: AsyncSession, held: Sequence[tuple[Account, Wish]], now: datetime) -> None:
    """Count what these leases may cost; their accounts are locked."""
    found = await accesses(session, [account.id for account, _ in held])
    for account, wish in held:
        access = found[account.id]
        if access.month != this_month(now):
            access.month, access.units, access.micros, access.requests = this_month(now), 0, 0, 0
        access.units += wish.units
        access.micros += wish.micros
        access.requests += 1
        access.held_fence, access.held_units, access.unit_micros = account.fence, wish.units, wish.unit_micros


async def settle(session: AsyncSession, account_id: str, fence: int, units: int) -> None:
    """Give back what the request of a lease did not read; -1 is not known, and stays counted."""
    access = (await accesses(session, [account_id])).get(account_id)
    if access is None or access.held_fence != fence:
        return
    if units >= 0:
        unread = access.held_units - units
        access.units = max(0, access.units - unread)
        access.micros = max(0, access.micros - unread * access.unit_micros)
    access.held_fence = access.held_units = 0


async def accesses(session: AsyncSession, account_ids: Sequence[str]) -> dict[str, ApiAccess]:
    """What these accounts may spend; who changes it has their accounts locked."""
    rows = await session.scalars(
        select(ApiAccess).where(ApiAccess.account_id.in_(account_ids)).execution_options(populate_existing=True)
    )
    return {access.account_id: access for access in rows}


class SpendingRepository:
    """What accounts may spend, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, account_id: str) -> ApiAccess | None:
        """The plan and the month of an account."""
        return (await accesses(self._session, [account_id])).get(account_id)

    async def add(self, access: ApiAccess) -> None:
        """Store a new one."""
        self._session.add(access)
        await self._session.flush()
