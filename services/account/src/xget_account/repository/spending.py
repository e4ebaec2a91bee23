"""What may be spent on official APIs, as SQL: held before a request is made, corrected when its answer is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import BigInteger, Executable, Integer, String, Table, and_, bindparam, case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import ApiAccess
from xget_account.repository.held import Held
from xget_account.repository.room import Wish, can_pay, cost_parameters, money_values
from xget_db.given import Given


@cache
def _leased(*, postgres: bool) -> Given[tuple[str, int]]:
    return Given({"account_id": String(), "fence": Integer()}, postgres=postgres)


def hold_values(leased: Collection[Held], wish: Wish, now: datetime, *, postgres: bool) -> dict[str, Any]:
    """Parameters of `hold`, for accounts that get the lease behind the one that they had."""
    given = _leased(postgres=postgres).values(sorted((account.id, account.fence + 1) for account in leased))
    return {"price": wish.unit_micros, **money_values(wish, now), **given}


def hold(postgres: bool) -> Executable:
    """Count what the requests of leases may cost, whose accounts are locked; the ids of those that may spend it.

    Those of a choice may, unless another transaction spent it while this one chose.
    """
    table, given = cast(Table, ApiAccess.__table__), _leased(postgres=postgres).rows.c
    month, units, micros = cost_parameters()
    again = table.c.month == month
    changes = {
        "month": month,
        "units": case((again, table.c.units), else_=0) + units,
        "micros": case((again, table.c.micros), else_=0) + micros,
        "requests": case((again, table.c.requests), else_=0) + 1,
        "held_fence": given.fence,
        "held_units": units,
        "unit_micros": bindparam("price", type_=BigInteger),
    }
    held = update(table).where(table.c.account_id == given.account_id, can_pay())
    return held.values(changes).returning(table.c.account_id)


def unheld_values(held: Collection[Held], wish: Wish, *, postgres: bool) -> dict[str, Any]:
    """Parameters of `unheld`, for accounts whose fence is that of the lease that did not come."""
    given = _leased(postgres=postgres).values(sorted((account.id, account.fence) for account in held))
    return {"units": wish.units, "micros": wish.micros, **given}


def unheld(postgres: bool) -> Executable:
    """Take back what `hold` counted in this transaction for leases that did not come."""
    table, given = cast(Table, ApiAccess.__table__), _leased(postgres=postgres).rows.c
    _, units, micros = cost_parameters()
    mine = and_(table.c.account_id == given.account_id, table.c.held_fence == given.fence)
    changes = {
        "units": table.c.units - units,
        "micros": table.c.micros - micros,
        "requests": table.c.requests - 1,
        "held_fence": 0,
        "held_units": 0,
    }
    return update(table).where(mine).values(changes)


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


async def unspend(session: AsyncSession, account_id: str, fence: int, micros: int) -> None:
    """Forget the request of a lease, which was not made: what it may have cost was counted for it."""
    access = (await accesses(session, [account_id])).get(account_id)
    if access is None or access.held_fence != fence:
        return
    access.units = max(0, access.units - access.held_units)
    access.micros = max(0, access.micros - micros)
    access.requests = max(0, access.requests - 1)
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
