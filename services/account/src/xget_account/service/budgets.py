"""What accounts have left, by operation and by account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial, reduce
from operator import add
from typing import Final

from xget_account.models import LedgerEntry
from xget_account.repository import AccountRepository, next_day
from xget_account.repository.budgets import BudgetRepository, Money, Scope
from xget_account.repository.room import next_month
from xget_account.schemas import AccountFilter
from xget_account.schemas.budget import (
    AccountBudget,
    BudgetPage,
    BudgetTotals,
    MoneyRead,
    OperationBudget,
    WindowRead,
)
from xget_account.service.api_access import MICROS
from xget_account.service.remembering import MANY, Remembered
from xget_account.service.state import View
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery

KEPT_SECONDS: Final = 30.0
"""For how long sums over very many accounts stand."""


@dataclass(frozen=True)
class Sums:
    """What all accounts of a scope have, as of a moment."""

    operations: list[OperationBudget]
    totals: BudgetTotals
    money: Money | None
    at: datetime


KeptSums = Remembered[Sums]


class BudgetService:
    """Reads budgets from one snapshot; sums of very many accounts may be of half a minute before."""

    def __init__(
        self,
        accounts: AccountRepository,
        budgets: BudgetRepository,
        clock: Clock,
        sums: KeptSums,
        *,
        daily_budget: int,
    ) -> None:
        self._accounts = accounts
        self._budgets = budgets
        self._clock = clock
        self._sums = sums
        self._daily_budget = daily_budget

    async def page(self, caller: Caller, page: PageQuery, platform: str | None, operation: str | None) -> BudgetPage:
        """One page of the caller's accounts by name, with the sums of all of them.

        With 10,000 accounts and more the sums are made anew every 30 s at most.
        """
        now = self._clock.now()
        scope = Scope(owner=caller.owner_filter, platform=platform, operation=operation)
        wanted = AccountFilter(platform=platform, sort="username")
        rows, total = await self._accounts.page(scope.owner, wanted, page, now)
        ledger = await self._accounts.ledger(account.id for account in rows)
        views = [View(account, ledger.get(account.id, []), now, self._daily_budget) for account in rows]
        money = await self._budgets.money(scope, now, [account.id for account in rows])
        sums = await self._sums.get(scope, partial(self._summed, scope, now), _kept_for)
        return BudgetPage(
            items=[_account(view, operation, _money(money.get(view.account.id), now)) for view in views],
            money=_money(sums.money, now),
            page=page.page,
            size=page.size,
            total=total,
            pages=-(-total // page.size),
            operations=sums.operations,
            totals=sums.totals,
            summed_at=sums.at,
            day_ends_at=next_day(now),
        )

    async def _summed(self, scope: Scope, now: datetime) -> Sums:
        operations = await self._budgets.operations(scope, now)
        totals = await self._budgets.totals(scope, now, self._daily_budget)
        money = (await self._budgets.money(scope, now)).values()
        return Sums(
            operations=[OperationBudget.model_validate(dict(row._mapping)) for row in operations],
            totals=BudgetTotals.model_validate(dict(totals._mapping)),
            money=reduce(add, money) if money else None,
            at=now,
        )


def _kept_for(sums: Sums) -> float:
    return KEPT_SECONDS if sums.totals.accounts >= MANY else 0.0


def _account(view: View, operation: str | None, money: MoneyRead | None) -> AccountBudget:
    account, now = view.account, view.now
    entries = [entry for entry in view.ledger if operation is None or entry.operation == operation]
    return AccountBudget(
        account_id=account.id,
        username=account.username,
        platform=account.platform,
        state=view.state,
        active=account.active,
        daily_budget=view.budget,
        used_today=view.used_today,
        budget_left=max(0, view.budget - view.used_today),
        rest_until=_future(account.rest_until, now),
        lease_until=_future(account.lease_expires_at, now),
        operations=[_window(entry, now) for entry in entries],
        money=money,
    )


def _money(money: Money | None, now: datetime) -> MoneyRead | None:
    if money is None:
        return None
    cap, results = money.results_cap, money.results
    return MoneyRead(
        currency="USD",
        cap=Decimal(money.cap) / MICROS,
        spent=Decimal(money.counted - money.held) / MICROS,
        uncertain=Decimal(money.uncertain) / MICROS,
        held=Decimal(money.held) / MICROS,
        left=Decimal(max(0, money.cap - money.counted)) / MICROS,
        results_cap=cap,
        results=results,
        results_left=None if cap is None else max(0, cap - results),
        requests=money.requests,
        resets_at=next_month(now),
    )


def _window(entry: LedgerEntry, now: datetime) -> WindowRead:
    reset_at = _future(entry.reset_at, now)
    return WindowRead(
        operation=entry.operation,
        limit=entry.limit,
        remaining=entry.limit if reset_at is None else _none_below_zero(entry.remaining),
        reset_at=reset_at,
        rest_until=_future(entry.rest_until, now),
        used_today=entry.used_today if entry.used_day == now.date().isoformat() else 0,
        failures=entry.failures,
        errors=entry.errors or [],
    )


def _none_below_zero(number: int | None) -> int | None:
    return None if number is None else max(0, number)


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None
