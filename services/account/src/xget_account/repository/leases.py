"""Leases: who may use which account until when. The choice is one statement, so no two callers get the same account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import HEALTHY, NEEDS_LOGIN, Account, LedgerEntry
from xget_db.locks import is_postgres, locked
from xget_db.upserts import insert


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


@dataclass(frozen=True, kw_only=True)
class Left:
    """What an owner's accounts have left for one operation."""

    accounts: int
    """Healthy ones with requests left today, resting or leased ones included."""
    known: int
    """Those of them whose limit for the operation is known."""
    limit: int
    """Requests of the known ones for each window."""
    remaining: int
    """Requests that the known ones have left in their windows now."""
    today: int
    """Requests that all of them have left today."""


class LeaseRepository:
    """Accounts within one transaction, as the pool needs them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def set_aside(self, error: str) -> list[Account]:
        """Accounts that need a login for this reason, of all owners; locked."""
        query = select(Account).where(Account.status == NEEDS_LOGIN, Account.error_msg == error).order_by(Account.id)
        return list(await self._session.scalars(locked(self._session, query)))

    async def hold(self, wishes: Sequence[Wish]) -> None:
        """Wait for the accounts that wishes name or hold, in one order, before any other is locked.

        For wishes of several kinds: with one kind `preferred` does it. Else two batches could wait for one another.
        """
        if is_postgres(self._session):
            query = select(Account.id).where(_concerns(wishes)).order_by(Account.id)
            (await self._session.scalars(query.with_for_update(key_share=True))).all()

    async def preferred(self, wishes: Sequence[Wish], now: datetime, budget: int) -> list[Account]:
        """Accounts that the wishes name or whose leases they hold, locked, waited for; those that rest are left out.

        All wishes are of one owner, platform and operation; whose account it is, and of which platform, and the lease
        of another holder are for the caller to see: a condition more, and the database would choose the wrong index.
        """
        query = _fit(wishes[0], now, budget).where(_concerns(wishes)).order_by(Account.id)
        return await self._locked(query, skip=False)

    async def free(self, wish: Wish, now: datetime, budget: int, count: int, but: Collection[str]) -> list[Account]:
        """Up to `count` free accounts, the least recently used first, locked; whoever takes some at this moment too."""
        query = _fit(wish, now, budget).where(
            Account.owner_id == wish.owner_id,
            Account.platform == wish.platform,
            or_(Account.lease_expires_at.is_(None), Account.lease_expires_at <= now),
            Account.id.not_in(but),
        )
        return await self._locked(query.order_by(Account.turn, Account.id).limit(count), skip=True)

    async def count_use(self, accounts: Sequence[Account], operation: str, now: datetime) -> None:
        """Add one to today's use of the operation by each of the accounts, which are locked."""
        fresh = insert(self._session, LedgerEntry)
        same_day = LedgerEntry.used_day == fresh.excluded.used_day
        changes = {
            "used_today": case((same_day, LedgerEntry.used_today + 1), else_=1),
            "used_day": fresh.excluded.used_day,
            "updated_at": fresh.excluded.updated_at,
        }
        day = {"operation": operation, "used_day": _day(now), "used_today": 1, "updated_at": now}
        await self._session.execute(
            fresh.on_conflict_do_update(index_elements=["account_id", "operation"], set_=changes),
            [{"account_id": account.id, **day} for account in accounts],
        )

    async def release(self, leases: Collection[tuple[str, int]]) -> None:
        """End these leases (account id, fence); one that is not the newest of its account changes nothing."""
        table = cast(Table, Account.__table__)
        ended = dict.fromkeys(("lease_holder", "lease_operation", "lease_expires_at"))
        given = update(table).where(table.c.id == bindparam("lease_of"), table.c.fence == bindparam("lease_fence"))
        rows = [{"lease_of": account_id, "lease_fence": fence} for account_id, fence in sorted(leases)]
        await (await self._session.connection()).execute(given.values(ended), rows)

    async def _locked(self, query: Select[Account], *, skip: bool) -> list[Account]:
        locked = query.with_for_update(skip_locked=skip, key_share=True, of=Account)
        return list(await self._session.scalars(locked.execution_options(populate_existing=True)))

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

    async def left(self, wish: Wish, now: datetime, budget: int) -> Left:
        """What the owner's accounts of a platform (or the one that the wish names) have left for an operation."""
        used = case((Account.used_day == _day(now), Account.used_today), else_=0)
        today = func.coalesce(Account.daily_budget, budget) - used
        ledger = and_(LedgerEntry.account_id == Account.id, LedgerEntry.operation == wish.operation)
        running = and_(LedgerEntry.reset_at > now, LedgerEntry.remaining.is_not(None))
        remaining = case((running, LedgerEntry.remaining), else_=LedgerEntry.limit)
        known = case((LedgerEntry.limit.is_not(None), remaining), else_=None)
        query = (
            select(
                func.count(Account.id),
                func.count(LedgerEntry.limit),
                func.coalesce(func.sum(LedgerEntry.limit), 0),
                func.coalesce(func.sum(known), 0),
                func.coalesce(func.sum(today), 0),
            )
            .select_from(Account)
            .outerjoin(LedgerEntry, ledger)
            .where(Account.owner_id == wish.owner_id, Account.platform == wish.platform, today > 0)
            .where(Account.active, Account.status.in_(HEALTHY), Account.cookies.is_not(None))
        )
        if wish.account_id:
            query = query.where(Account.id == wish.account_id)
        counts = (await self._session.execute(query)).one()
        names = ("accounts", "known", "limit", "remaining", "today")
        return Left(**{name: int(count) for name, count in zip(names, counts, strict=True)})


def _concerns(wishes: Sequence[Wish]) -> ColumnElement[bool]:
    named = {name for wish in wishes for name in (wish.account_id, wish.sticky_account_id) if name}
    held = Account.lease_holder.in_([wish.holder for wish in wishes])
    return or_(Account.id.in_(named), held) if named else held


def _fit(wish: Wish, now: datetime, budget: int) -> Select[Account]:
    """Anybody's healthy accounts with room for the operation, leased or not."""
    rests = exists().where(
        LedgerEntry.account_id == Account.id,
        LedgerEntry.operation == wish.operation,
        LedgerEntry.rest_until > now,
    )
    return select(Account).where(
        Account.active,
        Account.status.in_(HEALTHY),
        Account.cookies.is_not(None),
        or_(Account.rest_until.is_(None), Account.rest_until <= now),
        or_(Account.used_day != _day(now), Account.used_today < func.coalesce(Account.daily_budget, budget)),
        ~rests,
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
