"""Leases: who may use which account until when. The choice is one statement, so no two callers get the same account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import HEALTHY, Account, LedgerEntry


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a caller needs an account for."""

    owner_id: str
    platform: str
    operation: str
    holder: str
    account_id: str = ""
    """Only this account, if set."""
    sticky_account_id: str = ""
    """Preferred, if it has room."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An account of the owner as the explanation of a refusal needs it."""

    username: str
    platform: str
    active: bool
    healthy: bool
    status: str
    error_msg: str | None
    frees_at: datetime | None
    """End of the lease of somebody else."""
    rests_until: datetime | None
    """End of the longest rest that concerns the operation."""
    budget_left: bool


class LeaseRepository:
    """Accounts within one transaction, as the pool needs them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, wish: Wish, now: datetime, until: datetime, budget: int) -> Account | None:
        """Lease the best free account of the owner, None when there is none: choice and lease in one statement.

        A holder that asks again gets its own account back at once: it is the same execution after a crash.
        """
        statement = (
            update(Account)
            .where(Account.id == _choice(wish, now, budget).scalar_subquery())
            .values(
                fence=Account.fence + 1,
                lease_holder=wish.holder,
                lease_operation=wish.operation,
                lease_expires_at=until,
                lease_reports=0,
                last_used=now,
                used_day=_day(now),
                used_today=case((Account.used_day == _day(now), Account.used_today + 1), else_=1),
            )
            .returning(Account)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return (await self._session.scalars(statement)).one_or_none()

    async def account(self, account_id: str) -> Account | None:
        """The account, locked for this transaction where the database can."""
        return await self._session.get(Account, account_id, with_for_update={"key_share": True})

    async def entry(self, account_id: str, operation: str, now: datetime) -> LedgerEntry:
        """The ledger entry of an account and operation, made when it is not there; its day is today."""
        entry = await self._session.get(LedgerEntry, (account_id, operation))
        if entry is None:
            entry = LedgerEntry(account_id=account_id, operation=operation, used_today=0, updated_at=now)
            self._session.add(entry)
        if entry.used_day != _day(now):
            entry.used_day, entry.used_today = _day(now), 0
        entry.updated_at = now
        return entry

    async def candidates(self, wish: Wish, now: datetime, budget: int) -> Sequence[Candidate]:
        """The accounts that might have answered a wish, with what stands in their way."""
        rest = select(LedgerEntry.rest_until).where(
            LedgerEntry.account_id == Account.id, LedgerEntry.operation == wish.operation
        )
        query = select(Account, rest.scalar_subquery()).where(Account.owner_id == wish.owner_id)
        if wish.account_id:
            query = query.where(Account.id == wish.account_id)
        else:
            query = query.where(Account.platform == wish.platform)
        rows = (await self._session.execute(query)).all()
        return [_candidate(account, rest_until, wish, now, budget) for account, rest_until in rows]


def _choice(wish: Wish, now: datetime, budget: int) -> Select[str]:
    rests = exists().where(
        LedgerEntry.account_id == Account.id,
        LedgerEntry.operation == wish.operation,
        LedgerEntry.rest_until > now,
    )
    mine = and_(Account.lease_holder == wish.holder, Account.lease_expires_at > now)
    query = select(Account.id).where(
        Account.owner_id == wish.owner_id,
        Account.platform == wish.platform,
        Account.active,
        Account.status.in_(HEALTHY),
        Account.cookies.is_not(None),
        or_(Account.rest_until.is_(None), Account.rest_until <= now),
        or_(Account.lease_expires_at.is_(None), Account.lease_expires_at <= now, mine),
        or_(Account.used_day != _day(now), Account.used_today < func.coalesce(Account.daily_budget, budget)),
        ~rests,
    )
    if wish.account_id:
        query = query.where(Account.id == wish.account_id)
    return (
        query.order_by(
            case((Account.id == wish.sticky_account_id, 0), (mine, 1), else_=2),
            Account.last_used.asc().nulls_first(),
            Account.id,
        )
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True, of=Account)
        .correlate(None)
    )


def _candidate(account: Account, rest: datetime | None, wish: Wish, now: datetime, budget: int) -> Candidate:
    leased = account.lease_expires_at if account.lease_holder != wish.holder else None
    rests = [moment for moment in (account.rest_until, rest) if moment and moment > now]
    return Candidate(
        username=account.username,
        platform=account.platform,
        active=account.active,
        healthy=account.status in HEALTHY and account.cookies is not None,
        status=account.status,
        error_msg=account.error_msg,
        frees_at=leased if leased and leased > now else None,
        rests_until=max(rests, default=None),
        budget_left=account.used_day != _day(now) or account.used_today < (account.daily_budget or budget),
    )


def _day(now: datetime) -> str:
    return now.date().isoformat()
