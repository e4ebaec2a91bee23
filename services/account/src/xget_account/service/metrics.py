"""What the pool counts, and what it has."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from xget_account.repository import FigureRepository
from xget_account.repository.figures import Budget
from xget_account.service.remembering import MANY, Remembered
from xget_kernel.clock import Clock
from xget_telemetry.metrics import Registry, Spec
from xget_telemetry.standard import measure

KEPT_SECONDS: Final = 30.0
"""For how long figures of very many accounts stand."""
Figures = Callable[[], AbstractAsyncContextManager[FigureRepository]]

LEASES = Spec("xget_account_acquires_total", "Wishes for an account, by what became of them.", ("outcome",))
VERDICTS = Spec("xget_account_verdicts_total", "Answers of platforms, by what the playbook made of them.", ("verdict",))
ACCOUNTS = Spec("xget_accounts", "Accounts, by status.", ("status",))
USABLE = Spec("xget_accounts_with_budget", "Healthy accounts that do not rest and have requests left today.")
BUDGET_LEFT = Spec("xget_account_budget_left_requests", "Requests that these accounts have left today, together.")


def measure_accounts(registry: Registry, figures: Figures, clock: Clock, daily_budget: int) -> None:
    """Show what the pool has, read for each scrape."""

    async def accounts() -> dict[tuple[str, ...], float]:
        async with figures() as found:
            return await found.accounts()

    looks = Remembered[Budget](clock)

    async def look() -> Budget:
        async with figures() as found:
            return await found.budget(clock.now(), daily_budget)

    async def budget() -> Budget:
        """One look for both figures, and one for several scrapes when it takes long."""
        return await looks.get("", look, lambda seen: KEPT_SECONDS if seen.accounts >= MANY else 0.0)

    async def usable() -> float:
        return (await budget()).accounts

    async def left() -> float:
        return (await budget()).requests

    registry.sampled(ACCOUNTS, accounts)
    measure(registry, USABLE, usable)
    measure(registry, BUDGET_LEFT, left)
