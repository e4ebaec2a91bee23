"""Leases under any order of calls: one holder at a time, fences only grow, budgets and windows are never exceeded."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from xget_account.errors import LeaseLost, NoAccountNow
from xget_account.models import Account
from xget_account.repository import PoolTables, Wish
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.playbook import Answer
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Keyring

T = TypeVar("T")
BUDGET = 9
LIMIT = 4
"""Requests of an account and operation in a window of X."""
HOLDERS = st.sampled_from(["a", "b", "c"])
OPERATIONS = st.sampled_from(["Search", "Tweets"])


class Leases(RuleBasedStateMachine):
    """Two accounts, three holders; the model keeps who ought to hold what."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        url = f"sqlite+aiosqlite:///{Path(self.folder.name) / 'account.db'}"
        upgrade(url, "xget_account")
        self.clock = ManualClock()
        self.database = Database(url)
        vault = Vault(Keyring({"k": b"k" * 32}))
        self.pool = LeaseService(PoolTables(self.database), vault, self.clock, daily_budget=BUDGET)
        self.held: dict[str, Granted] = {}
        self.told: list[Granted] = []
        self.past: list[Granted] = []
        self.ends: dict[str, Any] = {}
        self.taken: Counter[Any] = Counter()
        self.windows: dict[tuple[str, str], tuple[int, datetime]] = {}
        self.known: set[tuple[str, str]] = set()
        self._run(self._fill(vault))

    async def _fill(self, vault: Vault) -> None:
        async with self.database.transaction() as session:
            for name in ("one", "two"):
                account = blank("ada", "x", name, self.clock)
                refresh(account, {"auth_token": name, "ct0": name}, vault)
                session.add(account)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @rule(holder=HOLDERS, operation=OPERATIONS)
    def acquire(self, holder: str, operation: str) -> None:
        wish = Wish(owner_id="ada", platform="x", operation=operation, holder=holder)
        try:
            granted = self._run(self.pool.acquire(wish, 60))
        except NoAccountNow as error:
            promised = datetime.fromisoformat(error.headers["available-at"])
            seconds = (promised - self.clock.now()).total_seconds()
            self.clock.advance(max(seconds, 1))
            granted = self._run(self.pool.acquire(wish, 60))
        day = (granted.account.id, self.clock.now().date())
        self.taken[day] += 1
        assert self.taken[day] <= BUDGET
        before = self.held.get(granted.account.id)
        if before is not None and self.ends[granted.account.id] > self.clock.now():
            assert before.account.lease_holder == holder, "leased to two holders"
        assert before is None or granted.account.fence > before.account.fence
        self._request(granted.account.id, operation)
        self.past += [before] if before else []
        self.held[granted.account.id] = granted
        self.ends[granted.account.id] = granted.expires_at

    def _request(self, account: str, operation: str) -> None:
        """X counts a request, which is made with the lease; what it answers is told or lost."""
        now = self.clock.now()
        left, reset = self.windows.get((account, operation), (LIMIT, now))
        if reset <= now:
            left, reset = LIMIT, now + timedelta(minutes=15)
        if (account, operation) in self.known:
            assert left > 0, "a request over a limit that was known"
        self.windows[account, operation] = (max(0, left - 1), reset)

    @rule(choice=st.integers(0, 9))
    def tell_the_limit(self, choice: int) -> None:
        """Report what X's headers say of the request that came with the lease, once."""
        fresh = [one for one in self.held.values() if one not in self.told]
        if not fresh:
            return
        granted = fresh[choice % len(fresh)]
        operation = granted.account.lease_operation or ""
        left, reset = self.windows[granted.account.id, operation]
        answer = Answer(operation=operation, status=200, limit=LIMIT, remaining=left, reset_at=reset)
        self._run(self.pool.report(granted.lease_id, granted.account.fence, answer))
        self.known.add((granted.account.id, operation))
        self.told.append(granted)

    @rule(status=st.sampled_from([200, 200, 429, 503]), choice=st.integers(0, 9))
    def report(self, status: int, choice: int) -> None:
        if not self.held:
            return
        granted = list(self.held.values())[choice % len(self.held)]
        if granted in self.told:
            return  # a second report is a second request, and the model makes one for each lease
        self.told.append(granted)
        operation = granted.account.lease_operation or ""
        self._run(self.pool.report(granted.lease_id, granted.account.fence, Answer(operation=operation, status=status)))

    @rule(choice=st.integers(0, 9))
    def release(self, choice: int) -> None:
        if self.held:
            granted = list(self.held.values())[choice % len(self.held)]
            self._run(self.pool.release(granted.lease_id, granted.account.fence))
            self.ends[granted.account.id] = self.clock.now()

    @rule(choice=st.integers(0, 9))
    def use_an_old_lease(self, choice: int) -> None:
        if not self.past:
            return
        old = self.past[choice % len(self.past)]
        self._run(self.pool.release(old.lease_id, old.account.fence))
        for work in (
            self.pool.report(old.lease_id, old.account.fence, Answer(operation="Search", status=401)),
            self.pool.renew(old.lease_id, old.account.fence, 60),
        ):
            try:
                self._run(work)
            except LeaseLost:
                continue
            raise AssertionError("an old lease was accepted")

    @rule(seconds=st.sampled_from([1, 59, 61, 901, 90_000]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def rows_agree_with_the_model(self) -> None:
        if not hasattr(self, "database"):
            return
        for account in self._run(self._rows()):
            assert account.status in {"NEW", "ACTIVE"}
            granted = self.held.get(account.id)
            assert account.fence == (granted.account.fence if granted else 0)
            if granted and self.ends[account.id] > self.clock.now():
                assert account.lease_holder == granted.account.lease_holder
            elif account.lease_expires_at is not None:
                assert account.lease_expires_at <= self.clock.now()

    async def _rows(self) -> list[Account]:
        async with self.database.read() as session:
            return list(await session.scalars(select(Account)))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self._run(self.database.close())
            self.loop.close()
            self.folder.cleanup()


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
