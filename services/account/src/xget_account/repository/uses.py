"""Who used which account, as SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Executable, Integer, String, Table, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from xget_account.models import AUDIT, Base, LeaseLog
from xget_account.repository.ledger import counted
from xget_db.audit import prune
from xget_db.given import Given
from xget_db.types import UtcDateTime
from xget_db.upserts import insert_into
from xget_kernel.pages import PageQuery

_NAMES: Final = ("account_id", "holder", "operation", "requester_id")
Use = tuple[str, str, str, str]
"""Account id, holder, operation, and whose run it is (empty for the account's owner)."""


@cache
def _uses(*, postgres: bool) -> Given[tuple[str, str, str, str, int]]:
    kinds: dict[str, TypeEngine[Any]] = {**dict.fromkeys(_NAMES, String()), "times": Integer()}
    return Given(kinds, postgres=postgres)


def note_values(uses: Sequence[Use], now: datetime, *, postgres: bool) -> dict[str, Any]:
    """Parameters of `note`."""
    times = Counter(use[:3] for use in uses)
    whose = {use[:3]: use[3] for use in uses}
    rows = [(*use, whose[use], times[use]) for use in sorted(times)]
    return {"now": now, **_uses(postgres=postgres).values(rows)}


def note(postgres: bool) -> Executable:
    """Write down that leases were given, each account locked."""
    return _note(true(), postgres=postgres)


def note_counted(postgres: bool) -> Executable:
    """As `note`, of those accounts whose requests the statement `ledger.reserve` before it counted (`s0`)."""
    return _note(_uses(postgres=postgres).rows.c.account_id.in_(counted()), postgres=postgres)


def _note(which: ColumnElement[bool], *, postgres: bool) -> Executable:
    table = cast(Table, LeaseLog.__table__)
    at = bindparam("now", type_=UtcDateTime)
    new = {**_uses(postgres=postgres).rows.c, "first_at": at, "last_at": at}
    fresh = insert_into(table, postgres=postgres).from_select(list(new), select(*new.values()).where(which))
    return fresh.on_conflict_do_update(
        index_elements=["account_id", "holder", "operation"],
        set_={
            "last_at": fresh.excluded.last_at,
            "requester_id": fresh.excluded.requester_id,
            "times": LeaseLog.times + fresh.excluded.times,
        },
    )


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
