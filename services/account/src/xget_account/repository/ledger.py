"""What is known of accounts and operations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import cast

from sqlalchemy import Integer, String, Table, and_, bindparam, case, literal, or_, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import LedgerEntry
from xget_account.repository.room import day_of
from xget_db.given import Given
from xget_db.locks import is_postgres
from xget_db.types import UtcDateTime
from xget_db.upserts import Insert

Pair = tuple[str, str]
"""Account id and operation."""


async def entries_of(session: AsyncSession, wanted: Collection[Pair], now: datetime) -> dict[Pair, LedgerEntry]:
    """The entries of accounts, which are locked, and operations, made when they are not there; their day is today."""
    query = select(LedgerEntry).where(
        LedgerEntry.account_id.in_({account_id for account_id, _ in wanted}),
        LedgerEntry.operation.in_({operation for _, operation in wanted}),
    )
    rows = await session.scalars(query.execution_options(populate_existing=True))
    found = {(entry.account_id, entry.operation): entry for entry in rows}
    for account_id, operation in wanted:
        entry = found.get((account_id, operation))
        if entry is None:
            entry = LedgerEntry(account_id=account_id, operation=operation, used_today=0, failures=0, updated_at=now)
            session.add(entry)
            found[account_id, operation] = entry
        if entry.used_day != day_of(now):
            entry.used_day, entry.used_today = day_of(now), 0
        entry.updated_at = now
    return found


async def reserve(
    session: AsyncSession, account_ids: Sequence[str], operation: str, now: datetime, window_end: datetime
) -> None:
    """See `LeaseRepository.reserve`."""
    statement, given = _reserving(is_postgres(session))
    values = {"operation_now": operation, "day": day_of(now), "at": now, "until": window_end}
    await session.execute(statement, {**values, **given.values([(account_id,) for account_id in account_ids])})


@cache
def _reserving(postgres: bool) -> tuple[Insert, Given[tuple[str]]]:
    """The statement of `reserve`; putting it together takes longer than doing it."""
    table = cast(Table, LedgerEntry.__table__)
    given = Given[tuple[str]]({"account_id": String()}, postgres=postgres)
    now, until = bindparam("at", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
    day = bindparam("day", type_=String)
    new = {
        "account_id": given.rows.c.account_id,
        "operation": bindparam("operation_now", type_=String),
        "used_day": day,
        "used_today": literal(1, Integer),
        "failures": literal(0, Integer),
        "updated_at": now,
    }
    fresh = (postgresql.insert(table) if postgres else sqlite.insert(table)).from_select(
        list(new), select(*new.values()).where(true())
    )
    same_day = LedgerEntry.used_day == fresh.excluded.used_day
    passed = or_(LedgerEntry.reset_at.is_(None), LedgerEntry.reset_at <= now)
    changes = {
        "used_today": case((same_day, LedgerEntry.used_today + 1), else_=1),
        "used_day": fresh.excluded.used_day,
        "updated_at": fresh.excluded.updated_at,
        # NULL stays NULL: without a limit there is nothing to take from
        "remaining": case((passed, LedgerEntry.limit - 1), else_=LedgerEntry.remaining - 1),
        "reset_at": case((and_(passed, LedgerEntry.limit.is_not(None)), until), else_=LedgerEntry.reset_at),
    }
    return fresh.on_conflict_do_update(index_elements=["account_id", "operation"], set_=changes), given
