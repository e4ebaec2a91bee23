"""The order in which accounts are chosen."""

from __future__ import annotations

from typing import Final

from xget_account.models import Account
from xget_account.repository import Held

_STRIDE: Final = 10**12


def stride(account: Account | Held, daily_budget: int) -> int:
    """How far one request moves the account back in the order of choice: half as far for twice the budget."""
    return _STRIDE // max(1, account.daily_budget or daily_budget)
