"""What is known of accounts and operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, case, literal, or_
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import LedgerEntry
from xget_account.repository.room import day_of
from xget_db.types import UtcDateTime
from xget_db.upserts import insert


async def entry_of(session: AsyncSession, account_id: str, operation: str, now: datetime) -> LedgerEntry:
    """The ledger entry of an account, which is locked, and operation, made when it is not there; its day is today."""
    entry = await session.get(LedgerEntry, (account_id, operation))
    if entry is None:
        entry = LedgerEntry(account_id=account_id, operation=operation, used_today=0, failures=0, updated_at=now)
        session.add(entry)
    if entry.used_day != day_of(now):
        entry.used_day, entry.used_today = day_of(now), 0
    entry.updated_at = now
    return entry


async def reserve(
    session: AsyncSession, account_ids: Sequence[str], operation: str, now: datetime, window_end: datetime
) -> None:
    """See `LeaseRepository.reserve`."""
    fresh = insert(session, LedgerEntry)
    same_day = LedgerEntry.used_day == fresh.excluded.used_day
    passed = or_(LedgerEntry.reset_at.is_(None), LedgerEntry.reset_at <= now)
    known = LedgerEntry.limit.is_not(None)
    changes = {
        "used_today": case((same_day, LedgerEntry.used_today + 1), else_=1),
        "used_day": fresh.excluded.used_day,
        "updated_at": fresh.excluded.updated_at,
        # NULL stays NULL: without a limit there is nothing to take from
        "remaining": case((passed, LedgerEntry.limit - 1), else_=LedgerEntry.remaining - 1),
        "reset_at": case((and_(passed, known), literal(window_end, UtcDateTime)), else_=LedgerEntry.reset_at),
    }
    values = {"operation": operation, "used_day": day_of(now), "used_today": 1, "failures": 0, "updated_at": now}
    await session.execute(
        fresh.on_conflict_do_update(index_elements=["account_id", "operation"], set_=changes),
        [{"account_id": account_id, **values} for account_id in account_ids],
    )
