"""Virtual hours: the pool uses the whole budget of X's windows, never more, and all accounts alike.

Four pools on one database stand for four worker processes: a virtual clock cannot span processes. What X counts is a
model outside of the pool. `XGET_SOAK=1` runs 100 accounts for 6 hours; `python -m bench.pool_simulation` has twscrape's
own pool beside it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest

from xget_account.errors import LeaseLost, NoAccountNow
from xget_account.models import ACTIVE
from xget_account.repository import LeaseRepository, Wish
from xget_account.repository.ringing import room_bell
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.playbook import Answer
from xget_db.engine import Database
from xget_kernel.secrets import Keyring
from xget_testing.database import migrated
from xget_testing.pool_simulation import Ticket, VirtualClock, XWindows, gini, simulate

SOAK = os.environ.get("XGET_SOAK") == "1"
ACCOUNTS, HOURS, TAKERS, POOLS = (100, 6.0, 10, 4) if SOAK else (5, 0.5, 1, 4)
LIMIT = 50
OPERATION = "SearchTimeline"


class Pool:
    """The account service's pool, as a worker uses it: one lease for each page, the last account preferred."""

    def __init__(self, service: LeaseService) -> None:
        self._service = service
        self._last: dict[str, str] = {}

    async def take(self, holder: str) -> Ticket | None:
        wish = Wish(
            owner_id="ada",
            platform="x",
            operation=OPERATION,
            holder=holder,
            sticky_account_id=self._last.get(holder, ""),
        )
        try:
            granted = await self._service.acquire(wish, 60, 30)
        except NoAccountNow:
            return None
        self._last[holder] = granted.account.id
        return Ticket(granted.account.id, granted)

    async def told(self, ticket: Ticket, *, answered: bool, limit: int, left: int, reset_at: datetime) -> bool:
        granted = cast(Granted, ticket.token)
        status = 200 if answered else 429
        answer = Answer(operation=OPERATION, status=status, limit=limit, remaining=left, reset_at=reset_at)
        try:
            await self._service.report(granted.lease_id, granted.account.fence, answer)
        except LeaseLost:
            return False
        return answered

    async def back(self, ticket: Ticket) -> bool:
        granted = cast(Granted, ticket.token)
        await self._service.release(granted.lease_id, granted.account.fence)
        return True


async def fill(database: Database, clock: VirtualClock, vault: Vault, budgets: list[int | None]) -> None:
    async with database.transaction() as session:
        for number, budget in enumerate(budgets):
            account = blank("ada", "x", f"user{number:03}", clock)
            refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
            account.status, account.daily_budget = ACTIVE, budget
            session.add(account)


@asynccontextmanager
async def pools_on(path: Path, clock: VirtualClock, budgets: list[int | None]) -> AsyncIterator[list[Pool]]:
    vault = Vault(Keyring({"k": b"k" * 32}))
    async with migrated("xget_account", path) as database, AsyncExitStack() as stack:
        await fill(database, clock, vault, budgets)

        @asynccontextmanager
        async def work() -> AsyncIterator[LeaseRepository]:
            with clock.working():
                async with database.transaction() as session:
                    yield LeaseRepository(session)

        found = []
        for _ in range(POOLS):
            bell = room_bell(database, clock)
            service = LeaseService(work, vault, clock, daily_budget=10_000, bell=bell)
            stack.push_async_callback(service.close)
            found.append(Pool(service))
        yield found


@pytest.mark.slow
async def test_the_whole_budget_is_used_never_more_and_by_all_alike(tmp_path: Path) -> None:
    clock = VirtualClock()
    windows, seconds = XWindows(clock, LIMIT), HOURS * 3600
    async with pools_on(tmp_path / "pool.db", clock, [None] * ACCOUNTS) as pools:
        figures = await simulate(clock, windows, pools, TAKERS, seconds, 0.001)
    possible = ACCOUNTS * LIMIT * seconds / 900
    uses = [windows.requests[account] for account in windows.requests]
    share, spread = figures.pages / possible, gini(uses)
    print(f"{figures.pages} of {possible:.0f} pages ({share:.1%}), {windows.over} over a limit, Gini {spread:.4f}, "
          f"{figures.lost_holders} holders lost")  # fmt: skip
    assert windows.over == 0
    assert len(uses) == ACCOUNTS
    assert share >= 0.98
    assert spread <= 0.05


@pytest.mark.slow
async def test_use_follows_the_daily_budget_and_who_comes_back_gets_no_burst(tmp_path: Path) -> None:
    clock = VirtualClock()
    windows = XWindows(clock, 10_000)
    budgets: list[int | None] = [4000, 2000, 2000, 1000]
    async with pools_on(tmp_path / "pool.db", clock, budgets) as pools:
        for pool in pools:
            pool._last = cast(dict[str, str], Forgetful())
        await simulate(clock, windows, pools[:1], 1, 150, 0)
        uses = sorted(windows.requests.values())
        assert uses[3] / uses[0] == pytest.approx(4, rel=0.15)
        assert uses[2] / uses[0] == pytest.approx(2, rel=0.15)
        before = Counter(windows.requests)
        async with migrated("xget_account", tmp_path / "pool.db") as database:
            await fill_one(database, clock)
        await simulate(clock, windows, pools[:1], 1, 40, 0)
        since = windows.requests - before
        newcomer = next(account for account in since if account not in before)
        assert since[newcomer] <= 0.35 * sum(since.values())


class Forgetful(dict[str, str]):
    """No account is preferred."""

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]  # always the same answer
        return ""


async def fill_one(database: Database, clock: VirtualClock) -> None:
    vault = Vault(Keyring({"k": b"k" * 32}))
    async with database.transaction() as session:
        account = blank("ada", "x", "newcomer", clock)
        refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
        account.status, account.daily_budget = ACTIVE, 2000
        session.add(account)
