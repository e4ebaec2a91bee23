"""Virtual hours: the pool uses the whole budget of X's windows, never more, and all accounts alike.

Four worker processes ask one account service, and four on PostgreSQL have pools of their own, as replicas of it do; a
virtual clock spans the processes. What X counts is a model outside of the pool. `XGET_SOAK=1` runs 100 accounts for 6
hours with one service; `python -m bench.pool_simulation 6 100` has twscrape's own pool beside it. Run as a program,
this is a worker process with a pool of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from xget_account.errors import LeaseLost, NoAccountNow
from xget_account.models import ACTIVE
from xget_account.repository import LeaseRepository, PoolTables, Wish
from xget_account.repository.ringing import room_bell
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.playbook import Answer
from xget_db.engine import Database
from xget_kernel.secrets import Keyring
from xget_testing.database import migrated, postgres_schema
from xget_testing.pool_processes import simulate_for_processes, simulate_in_processes, work
from xget_testing.pool_simulation import Figures, Scene, Ticket, VirtualClock, XWindows, gini, simulate

__all__ = ["postgres_schema"]

SOAK = os.environ.get("XGET_SOAK") == "1"
ACCOUNTS, HOURS, TAKERS, POOLS = (100, 6.0, 20, 4) if SOAK else (5, 0.5, 1, 4)
LIMIT = 50
OPERATION = "SearchTimeline"
KEYS = Keyring({"k": b"k" * 32})


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


async def fill(database: Database, clock: VirtualClock, budgets: list[int | None]) -> None:
    vault = Vault(KEYS)
    async with database.transaction() as session:
        for number, budget in enumerate(budgets):
            account = blank("ada", "x", f"user{number:03}", clock)
            refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
            account.status, account.daily_budget = ACTIVE, budget
            session.add(account)


class _Clocked(PoolTables):
    """The virtual clock stands while a transaction is under way."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        super().__init__(database)
        self._virtual = clock

    async def pool(self, work: Any) -> Any:
        with self._virtual.working():
            return await super().pool(work)

    async def glance(self, work: Any) -> Any:
        with self._virtual.working():
            return await super().glance(work)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[LeaseRepository]:
        with self._virtual.working():
            async with super().work() as leases:
                yield leases

    @asynccontextmanager
    async def look(self) -> AsyncIterator[LeaseRepository]:
        with self._virtual.working():
            async with super().look() as leases:
                yield leases


@asynccontextmanager
async def pool_on(database: Database, clock: VirtualClock) -> AsyncIterator[Pool]:
    bell = room_bell(database, clock)
    service = LeaseService(_Clocked(database, clock), Vault(KEYS), clock, daily_budget=10_000, bell=bell)
    try:
        yield Pool(service)
    finally:
        await service.close()
        await bell.close()


@asynccontextmanager
async def pools_on(path: Path, clock: VirtualClock, budgets: list[int | None]) -> AsyncIterator[list[Pool]]:
    async with migrated("xget_account", path) as database, AsyncExitStack() as stack:
        await fill(database, clock, budgets)
        yield [await stack.enter_async_context(pool_on(database, clock)) for _ in range(POOLS)]


async def in_processes(place: Path | str, accounts: int, scene: Scene, processes: int) -> tuple[Figures, XWindows]:
    """The scene with so many worker processes on a database that is filled with accounts."""
    async with migrated("xget_account", place) as database:
        await fill(database, VirtualClock(), [None] * accounts)
        url = database.url
    return await simulate_in_processes(scene, processes, [__file__, url])


async def for_processes(place: Path | str, accounts: int, scene: Scene, processes: int) -> tuple[Figures, XWindows]:
    """As `in_processes`, whose takers all ask this process's pool."""
    async with migrated("xget_account", place) as database:
        await fill(database, VirtualClock(), [None] * accounts)
        return await simulate_for_processes(scene, processes, lambda clock: pool_on(database, clock))


async def be_a_worker(url: str, socket: str) -> None:
    """One of the worker processes of `in_processes`."""

    @asynccontextmanager
    async def opened(clock: VirtualClock) -> AsyncIterator[Pool]:
        database = Database(url)
        try:
            async with pool_on(database, clock) as pool:
                yield pool
        finally:
            await database.close()

    await work(socket, opened)


def judged(figures: Figures, windows: XWindows, accounts: int, hours: float) -> None:
    """What the trial asks for; the figures are printed."""
    possible = accounts * LIMIT * hours * 4
    share, spread = figures.pages / possible, gini(list(windows.requests.values()))
    print(f"{figures.pages} of {possible:.0f} pages ({share:.1%}), {windows.over} over a limit, Gini {spread:.4f}, "
          f"{figures.lost_holders} holders lost")  # fmt: skip
    assert windows.over == 0
    assert len(windows.requests) == accounts
    assert share >= 0.98
    assert spread <= 0.05


@pytest.mark.slow
async def test_the_whole_budget_is_used_never_more_and_by_all_alike(tmp_path: Path) -> None:
    scene = Scene(takers=TAKERS, seconds=HOURS * 3600, deaths=0.001)
    judged(*await for_processes(tmp_path / "pool.db", ACCOUNTS, scene, POOLS), ACCOUNTS, HOURS)


@pytest.mark.connected("postgres")
@pytest.mark.slow
async def test_four_processes_with_pools_of_their_own_use_it_together(postgres_schema: str) -> None:
    figures, windows = await in_processes(postgres_schema, 4, Scene(takers=1, seconds=120), POOLS)
    assert windows.over == 0
    assert sorted(windows.requests.values()) == [LIMIT] * 4
    assert figures.pages == 4 * LIMIT


@pytest.mark.slow
async def test_use_follows_the_daily_budget_and_who_comes_back_gets_no_burst(tmp_path: Path) -> None:
    clock = VirtualClock()
    windows = XWindows(clock, 10_000)
    budgets: list[int | None] = [4000, 2000, 2000, 1000]
    async with pools_on(tmp_path / "pool.db", clock, budgets) as pools:
        for pool in pools:
            pool._last = cast(dict[str, str], Forgetful())
        await simulate(clock, windows, pools[:1], Scene(takers=1, seconds=150, limit=10_000))
        uses = sorted(windows.requests.values())
        assert uses[3] / uses[0] == pytest.approx(4, rel=0.15)
        assert uses[2] / uses[0] == pytest.approx(2, rel=0.15)
        before = Counter(windows.requests)
        async with migrated("xget_account", tmp_path / "pool.db") as database:
            await fill_one(database, clock)
        await simulate(clock, windows, pools[:1], Scene(takers=1, seconds=40, limit=10_000))
        since = windows.requests - before
        newcomer = next(account for account in since if account not in before)
        assert since[newcomer] <= 0.35 * sum(since.values())


class Forgetful(dict[str, str]):
    """No account is preferred."""

    def get(self, key: str, default: str | None = None) -> str:  # type: ignore[override]  # always the same answer
        return ""


async def fill_one(database: Database, clock: VirtualClock) -> None:
    vault = Vault(KEYS)
    async with database.transaction() as session:
        account = blank("ada", "x", "newcomer", clock)
        refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
        account.status, account.daily_budget = ACTIVE, 2000
        session.add(account)


if __name__ == "__main__":
    asyncio.run(be_a_worker(*sys.argv[1:]))
