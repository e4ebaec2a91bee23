"""Bodies of budgets: what accounts have left, by operation and by account."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from xget_account.schemas.accounts import State
from xget_web.paging import PageOut


class WindowRead(BaseModel):
    """One account and operation: the platform's window, and what happened in it."""

    operation: str
    limit: int | None = Field(description="Requests of a window; null until an answer has told it.")
    remaining: int | None = Field(description="Requests left now, those of leases that are not reported taken off.")
    reset_at: datetime | None = Field(description="When the window is full again; null when it is full.")
    rest_until: datetime | None = Field(description="The account rests from this operation until then.")
    used_today: int
    failures: int = Field(description="Answers in a row that were no success.")
    errors: list[dict[str, object]] = Field(description="The newest of them, oldest first.")


class MoneyRead(BaseModel):
    """What accounts of an official API may spend in a UTC month, and read."""

    currency: str
    cap: Decimal
    spent: Decimal = Field(description="Of requests that are answered, or whose answer nobody saw.")
    uncertain: Decimal = Field(
        description="Part of `spent`: of requests whose answer nobody told of (a process died, a connection broke). "
        "The platform may have billed them, so they stay counted at what they may cost at most."
    )
    held: Decimal = Field(description="For requests under way: what they may cost at most.")
    left: Decimal
    results_cap: int | None = Field(description="Posts and users that may be read; null: any number.")
    results: int = Field(description="Those that were read, and those that requests under way may read.")
    results_left: int | None
    requests: int
    resets_at: datetime = Field(description="When the month begins anew.")


class AccountBudget(BaseModel):
    """One account: its day, its rests, and each operation that it was used for."""

    account_id: str
    username: str
    platform: str
    state: State
    active: bool
    daily_budget: int
    used_today: int
    budget_left: int
    rest_until: datetime | None = Field(description="It rests from everything until then.")
    lease_until: datetime | None = Field(description="Somebody works with it until then.")
    operations: list[WindowRead]
    money: MoneyRead | None = Field(description="Of an account of an official API; null for others.")


class OperationBudget(BaseModel):
    """One operation over all healthy accounts that were used for it."""

    operation: str
    platform: str
    accounts: int
    known: int = Field(description="Those of them whose limit is known; `limit` and `remaining` are theirs together.")
    limit: int
    remaining: int
    without_room: int = Field(description="Those that rest or have used up their window.")
    next_room_at: datetime | None = Field(description="When the first of those has room again.")
    used_today: int


class BudgetTotals(BaseModel):
    """All accounts together."""

    accounts: int
    healthy: int
    with_room: int = Field(description="Healthy ones with requests left today that do not rest from everything.")
    daily_budget: int = Field(description="Requests of a day that the healthy ones may make.")
    used_today: int
    budget_left: int


class BudgetPage(PageOut[AccountBudget]):
    """A page of accounts by name, with what all of them have."""

    operations: list[OperationBudget]
    totals: BudgetTotals
    money: MoneyRead | None = Field(description="Of all accounts of official APIs together; null when there is none.")
    summed_at: datetime = Field(
        description="Of `operations`, `totals` and `money`: up to 30 s ago when there are 10,000 accounts or more."
    )
    day_ends_at: datetime = Field(description="When the daily budgets begin anew.")
