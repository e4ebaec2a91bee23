"""What accounts have left, summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import Account, ApiAccess, ApiApp, LedgerEntry
from xget_account.repository.room import day_of, healthy, spent, this_month, within_budget


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Whose accounts; `owner` None means everybody's."""

    owner: str | None
    platform: str | None = None
    operation: str | None = None

    def accounts(self) -> list[ColumnElement[bool]]:
        """Conditions on accounts."""
        found = [Account.owner_id == self.owner] if self.owner is not None else []
        return [*found, Account.platform == self.platform] if self.platform is not None else found


@dataclass(frozen=True, kw_only=True)
class Money:
    """A month of an official API, in millionths of a dollar; `held` and `uncertain` are counted already."""

    cap: int
    counted: int
    held: int
    """For requests under way."""
    uncertain: int
    """For requests that nobody will tell of, as far as is known."""
    results_cap: int | None
    results: int
    requests: int

    def __add__(self, other: Money) -> Money:
        caps = (self.results_cap, other.results_cap)
        return Money(
            cap=self.cap + other.cap,
            counted=self.counted + other.counted,
            held=self.held + other.held,
            uncertain=self.uncertain + other.uncertain,
            results_cap=None if None in caps else sum(cap or 0 for cap in caps),
            results=self.results + other.results,
            requests=self.requests + other.requests,
        )


class BudgetRepository:
    """Sums over the accounts of a scope, within one snapshot."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def operations(self, scope: Scope, now: datetime) -> Sequence[Row[Any]]:
        """Each operation that healthy accounts were used for: accounts, known, limit, remaining, and so on."""
        shut = or_(LedgerEntry.rest_until > now, spent(now))
        running = and_(LedgerEntry.reset_at > now, LedgerEntry.remaining.is_not(None))
        left = case((running, LedgerEntry.remaining), else_=LedgerEntry.limit)
        opens = case(
            (LedgerEntry.rest_until > now, LedgerEntry.rest_until), (spent(now), LedgerEntry.reset_at), else_=None
        )
        query = (
            select(
                LedgerEntry.operation,
                Account.platform,
                func.count().label("accounts"),
                func.count(LedgerEntry.limit).label("known"),
                func.coalesce(func.sum(LedgerEntry.limit), 0).label("limit"),
                func.coalesce(func.sum(case((LedgerEntry.limit.is_not(None), left))), 0).label("remaining"),
                func.coalesce(func.sum(case((shut, 1), else_=0)), 0).label("without_room"),
                func.min(opens).label("next_room_at"),
                func.coalesce(func.sum(case((LedgerEntry.used_day == day_of(now), LedgerEntry.used_today))), 0).label(
                    "used_today"
                ),
            )
            .join(Account, Account.id == LedgerEntry.account_id)
            .where(healthy(), *scope.accounts())
            .group_by(Account.platform, LedgerEntry.operation)
            .order_by(Account.platform, LedgerEntry.operation)
        )
        if scope.operation is not None:
            query = query.where(LedgerEntry.operation == scope.operation)
        return (await self._session.execute(query)).all()

    async def money(self, scope: Scope, now: datetime, account_ids: Sequence[str] | None = None) -> dict[str, Money]:
        """The month of accounts of an official API, by account: all of the scope, or some of them."""
        leased = and_(ApiAccess.held_fence == Account.fence, Account.lease_expires_at > now)
        query = (
            select(Account.id, ApiAccess, ApiApp, func.coalesce(leased, False))
            .join(ApiAccess, ApiAccess.account_id == Account.id)
            .outerjoin(ApiApp, ApiApp.account_id == Account.id)
            .where(*scope.accounts())
        )
        if account_ids is not None:
            query = query.where(Account.id.in_(account_ids))
        found = {}
        for account_id, access, app, leased_now in await self._session.execute(query):
            fresh = access.month != this_month(now)
            held = 0 if fresh else access.held_units * access.unit_micros
            lost = app.lost_micros if app and app.lost_month == this_month(now) else 0
            found[account_id] = Money(
                cap=access.cap_micros,
                counted=0 if fresh else access.micros,
                held=held if leased_now else 0,
                uncertain=lost if leased_now else lost + held,
                results_cap=access.cap_units,
                results=0 if fresh else access.units,
                requests=0 if fresh else access.requests,
            )
        return found

    async def totals(self, scope: Scope, now: datetime, budget: int) -> Row[Any]:
        """accounts, healthy, with_room, daily_budget, used_today, budget_left."""
        day = func.coalesce(Account.daily_budget, budget)
        used = case((Account.used_day == day_of(now), Account.used_today), else_=0)
        rested = or_(Account.rest_until.is_(None), Account.rest_until <= now)
        room = and_(healthy(), rested, within_budget(now, budget))

        def summed(condition: ColumnElement[bool], value: Any) -> ColumnElement[Any]:
            return func.coalesce(func.sum(case((condition, value), else_=0)), 0)

        query = select(
            func.count().label("accounts"),
            summed(healthy(), 1).label("healthy"),
            summed(room, 1).label("with_room"),
            summed(healthy(), day).label("daily_budget"),
            func.coalesce(func.sum(used), 0).label("used_today"),
            summed(and_(healthy(), day > used), day - used).label("budget_left"),
        )
        return (await self._session.execute(query.select_from(Account).where(*scope.accounts()))).one()
