"""What accounts have left, by operation and by account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import add

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
from xget_account.service.state import View
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery


class BudgetService:
    """Reads budgets, all from one snapshot."""

    def __init__(
        self, accounts: AccountRepository, budgets: BudgetRepository, clock: Clock, *, daily_budget: int
    ) -> None:
        self._accounts = accounts
        self._budgets = budgets
        self._clock = clock
        self._daily_budget = daily_budget

    async def page(self, caller: Caller, page: PageQuery, platform: str | None, operation: str | None) -> BudgetPage:
        """One page of the caller's accounts by name, with the sums of all of them."""
        now = self._clock.now()
        scope = Scope(owner=caller.owner_filter, platform=platform, operation=operation)
        wanted = AccountFilter(platform=platform, sort="username")
        rows, total = await self._accounts.page(scope.owner, wanted, page, now)
        ledger = await self._accounts.ledger(account.id for account in rows)
        views = [View(account, ledger.get(account.id, []), now, self._daily_budget) for account in rows]
        operations = await self._budgets.operations(scope, now)
        totals = await self._budgets.totals(scope, now, self._daily_budget)
        everywhere = await self._budgets.money(scope, now)
        money = {account_id: _money(one, now) for account_id, one in everywhere.items()}
        whole = reduce(add, everywhere.values()) if everywhere else None
        return BudgetPage(
            items=[_account(view, operation, money.get(view.account.id)) for view in views],
            money=_money(whole, now) if whole else None,
            page=page.page,
            size=page.size,
            total=total,
            pages=-(-total // page.size),
            operations=[OperationBudget.model_validate(dict(row._mapping)) for row in operations],
            totals=BudgetTotals.model_validate(dict(totals._mapping)),
            day_ends_at=next_day(now),
        )


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


def _money(money: Money, now: datetime) -> MoneyRead:
    cap, results = money.results_cap, money.results
    return MoneyRead(
        currency="USD",
        cap=Decimal(money.cap) / MICROS,
        spent=Decimal(money.counted - money.held) / MICROS,
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
        remaining=entry.limit if reset_at is None else entry.remaining,
        reset_at=reset_at,
        rest_until=_future(entry.rest_until, now),
        used_today=entry.used_today if entry.used_day == now.date().isoformat() else 0,
        failures=entry.failures,
        errors=entry.errors or [],
    )


def _future(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None
