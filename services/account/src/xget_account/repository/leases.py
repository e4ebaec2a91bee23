"""Leases: who may use which account until when. The choice is one statement, so no two callers get the same account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final, cast

from sqlalchemy import ColumnElement, Integer, Select, String, Table, and_, case, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from xget_account.models import GRANTS, NEEDS_LOGIN, Account, LedgerEntry
from xget_account.repository.ledger import entries_of, reserve
from xget_account.repository.life import LifeRepository
from xget_account.repository.room import (
    Outlook,
    Wish,
    affordable,
    day_of,
    fit,
    fit_values,
    healthy,
    outlook,
    pool_of,
    usable,
)
from xget_account.repository.spending import hold as hold_money
from xget_account.repository.spending import settle
from xget_account.repository.uses import Use, note
from xget_contracts.events import ACCOUNT_EVENTS
from xget_db.bells import Bell
from xget_db.given import Given
from xget_db.grants import GrantRepository
from xget_db.locks import is_postgres, locked
from xget_kernel.clock import Clock

_BEGUN: Final = text("SELECT max(begun) FROM accounts WHERE owner_id = :owner AND platform = :platform")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How some accounts are that cannot work."""

    active: bool
    status: str
    count: int


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

    def __init__(self, session: AsyncSession, account_events: str = ACCOUNT_EVENTS) -> None:
        self._session = session
        self._account_events = account_events

    def facts(self, clock: Clock) -> LifeRepository:
        """The history and the outbox of the same transaction."""
        return LifeRepository(self._session, clock, self._account_events)

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
        query = fit().where(_concerns(wishes), *affordable(wishes[0], now)).order_by(Account.id)
        return await self._locked(query, fit_values(wishes[0].operation, now, budget), skip=False)

    async def free(self, wish: Wish, now: datetime, budget: int, count: int, but: Collection[str]) -> list[Account]:
        """Up to `count` free accounts, the least used first, locked; whoever takes some at this moment too."""
        query = fit().where(
            Account.owner_id == wish.owner_id,
            Account.platform == wish.platform,
            or_(Account.lease_expires_at.is_(None), Account.lease_expires_at <= now),
            *([Account.id == wish.account_id] if wish.account_id else []),
            *([Account.id.not_in(but)] if but else []),
            *affordable(wish, now),
        )
        ordered = query.order_by(Account.turn, Account.id).limit(count)
        return await self._locked(ordered, fit_values(wish.operation, now, budget), skip=True)

    async def with_lent(self, wish: Wish, now: datetime) -> Wish:
        """The wish with what others lend to its owner at this moment."""
        lent = await GrantRepository(self._session, GRANTS).lent(wish.owner_id, wish.platform, now)
        return replace(wish, lent=tuple(lent))

    async def begun(self, wish: Wish) -> int:
        """How far the choice of accounts has come: who was away goes on from here."""
        values = {"owner": wish.owner_id, "platform": wish.platform}
        return int(await self._session.scalar(_BEGUN, values) or 0)

    async def reserve(self, account_ids: Sequence[str], operation: str, now: datetime, window_end: datetime) -> None:
        """Count one request of the operation for each of these accounts, which are locked, before it is made.

        A window that has passed is full again; the new one ends at `window_end` until an answer says when it does.
        """
        await reserve(self._session, account_ids, operation, now, window_end)

    async def hold_money(self, held: Sequence[tuple[Account, Wish]], now: datetime) -> None:
        """Count what the requests of these leases may cost on an official API, before they are made."""
        await hold_money(self._session, held, now)

    async def settle_money(self, account_id: str, fence: int, units: int) -> None:
        """Take back what the request of a lease did not read; -1 is not known and stays counted."""
        await settle(self._session, account_id, fence, units)

    async def release(self, leases: Collection[tuple[str, int]]) -> set[str]:
        """End these leases (account id, fence); one that is not the newest of its account changes nothing.

        The pools that have an account again.
        """
        statement, given = _releasing(is_postgres(self._session))
        rows = await self._session.execute(statement, given.values(sorted(leases)))
        return {pool_of(row.owner_id, row.platform) for row in rows}

    async def note(self, uses: Sequence[Use], now: datetime) -> None:
        """Write down who was given which account, for the account's owner to see."""
        await note(self._session, uses, now)

    async def _locked(
        self, query: Select[Account], values: Mapping[str, object] | None = None, *, skip: bool
    ) -> list[Account]:
        locked = query.with_for_update(skip_locked=skip, key_share=True, of=Account)
        return list(await self._session.scalars(locked.execution_options(populate_existing=True), values))

    async def account(self, account_id: str) -> Account | None:
        """The account, locked for this transaction where the database can."""
        return await self._session.get(Account, account_id, with_for_update={"key_share": True})

    async def outlook(self, wish: Wish, now: datetime, budget: int) -> Outlook | None:
        """When an account has room that could answer the wish; None when there is no healthy one."""
        return await outlook(self._session, wish, now, budget)

    async def kinds(self, wish: Wish) -> list[Kind]:
        """How the owner's accounts of the platform are."""
        query = select(Account.active, Account.status, func.count()).where(
            usable(wish), Account.platform == wish.platform
        )
        rows = await self._session.execute(query.group_by(Account.active, Account.status))
        return [Kind(active=active, status=status, count=count) for active, status, count in rows]

    async def named(self, wish: Wish) -> Account | None:
        """The account that the wish names, of whatever platform, if the owner may use it."""
        query = select(Account).where(usable(wish), Account.id == wish.account_id)
        return (await self._session.scalars(query)).one_or_none()

    async def accounts(self, account_ids: Collection[str]) -> dict[str, Account]:
        """Those of the accounts that there are, locked in one order."""
        query = select(Account).where(Account.id.in_(account_ids)).order_by(Account.id)
        return {account.id: account for account in await self._locked(query, skip=False)}

    async def entries(self, wanted: Collection[tuple[str, str]], now: datetime) -> dict[tuple[str, str], LedgerEntry]:
        """The ledger entries of these accounts and operations, made when they are not there; their day is today."""
        return await entries_of(self._session, wanted, now)

    async def ring(self, bell: Bell, pools: Collection[str]) -> None:
        """Let those who wait for these pools look again once this transaction has committed."""
        await bell.ring(self._session, pools)

    async def left(self, wish: Wish, now: datetime, budget: int) -> Left:
        """What the owner's accounts of a platform (or the one that the wish names) have left for an operation."""
        used = case((Account.used_day == day_of(now), Account.used_today), else_=0)
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
            .where(usable(wish), Account.platform == wish.platform, today > 0)
            .where(healthy())
        )
        if wish.account_id:
            query = query.where(Account.id == wish.account_id)
        counts = (await self._session.execute(query)).one()
        names = ("accounts", "known", "limit", "remaining", "today")
        return Left(**{name: int(count) for name, count in zip(names, counts, strict=True)})


@cache
def _releasing(postgres: bool) -> tuple[ReturningUpdate[tuple[str, str]], Given[tuple[str, int]]]:
    table = cast(Table, Account.__table__)
    given = Given[tuple[str, int]]({"account_id": String(), "fence": Integer()}, postgres=postgres)
    ended = dict.fromkeys(("lease_holder", "lease_operation", "lease_expires_at"))
    newest = and_(table.c.id == given.rows.c.account_id, table.c.fence == given.rows.c.fence)
    return update(table).where(newest).values(ended).returning(table.c.owner_id, table.c.platform), given


def _concerns(wishes: Sequence[Wish]) -> ColumnElement[bool]:
    named = {name for wish in wishes for name in (wish.account_id, wish.sticky_account_id) if name}
    held = Account.lease_holder.in_([wish.holder for wish in wishes])
    return or_(Account.id.in_(named), held) if named else held
