"""Accounts as the pool needs them now and then: for what changes their state, and to tell why there is none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.errors import LeaseLost
from xget_account.models import GRANTS, NEEDS_LOGIN, Account, ApiApp, LedgerEntry
from xget_account.repository.apps import AppRepository
from xget_account.repository.ledger import entries_of
from xget_account.repository.life import LifeRepository
from xget_account.repository.room import Outlook, Wish, day_of, healthy, outlook, usable
from xget_account.repository.spending import settle
from xget_contracts.events import ACCOUNT_EVENTS
from xget_db.bells import Bell
from xget_db.grants import GrantRepository
from xget_db.locks import locked
from xget_kernel.clock import Clock


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
    """Accounts within one transaction of a session."""

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

    async def with_lent(self, wish: Wish, now: datetime) -> Wish:
        """The wish with what others lend to its owner at this moment."""
        lent = await GrantRepository(self._session, GRANTS).lent(wish.owner_id, wish.platform, now)
        return replace(wish, lent=tuple(lent))

    async def settle_money(self, account_id: str, fence: int, units: int) -> None:
        """Take back what the request of a lease did not read; -1 is not known and stays counted."""
        await settle(self._session, account_id, fence, units)

    async def app(self, account_id: str) -> ApiApp | None:
        """What is known of the developer app of an account, which is locked."""
        return await AppRepository(self._session).get(account_id)

    async def account(self, account_id: str) -> Account | None:
        """The account, locked for this transaction where the database can."""
        return await self._session.get(Account, account_id, with_for_update={"key_share": True})

    async def newest(self, lease_id: str, fence: int) -> Account:
        """The account of a lease, locked. Raises LeaseLost (412) when somebody has leased it since."""
        account_id, _, number = lease_id.partition(".")
        account = await self.account(account_id) if number == str(fence) else None
        if account is None or account.fence != fence:
            raise LeaseLost()
        return account

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
        found = await self._session.scalars(query.with_for_update(key_share=True))
        return {account.id: account for account in found}

    async def entries(self, wanted: Collection[tuple[str, str]], now: datetime) -> dict[tuple[str, str], LedgerEntry]:
        """The ledger entries of these accounts and operations, made when they are not there; their day is today."""
        return await entries_of(self._session, wanted, now)

    async def entry(self, account_id: str, operation: str) -> LedgerEntry | None:
        """What is known of an operation of an account, which is locked."""
        return await self._session.get(LedgerEntry, (account_id, operation))

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
