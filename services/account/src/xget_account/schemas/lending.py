"""Bodies about accounts that are lent."""

from __future__ import annotations

from pydantic import BaseModel


class LentAccount(BaseModel):
    """An account of another, as who may use it sees it."""

    account_id: str
    owner_id: str
    platform: str
    username: str
    state: str
    daily_budget: int
    """Requests a day (UTC), of all who use it together."""
    budget_left: int
    """Of today."""
