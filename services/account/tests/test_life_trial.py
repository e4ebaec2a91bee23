"""200 accounts, a third of which misbehaves as scripted, lent to runs for hours of a clock that tests move.

The oracle keeps its own books of rests, windows, budgets and states from the meaning of each answer; it knows nothing
of the playbook. XGET_SOAK=1 makes three simulated hours a hundred.
"""

from __future__ import annotations

import heapq
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from xget_account.errors import NoAccountNow, NoUsableAccount
from xget_account.models import Account, Move, Sample
from xget_account.repository import PoolTables, Wish
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.life import LOGIN, Life
from xget_account.service.playbook import Answer
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Keyring

pytestmark = pytest.mark.slow

HOURS = 100 if os.environ.get("XGET_SOAK") else 3
ACCOUNTS, TAKERS, BUDGET, LIMIT = 200, 4, 12, 4
WINDOW, PATIENCE = timedelta(minutes=15), timedelta(hours=2)
OPERATION = "SearchTimeline"
GOOD = {"status": 200, "has_data": True}
TYPED = {"exhausted", "rate_limited_out", "no_account", "source_error"}


def strikes(first: int, every: int = 0) -> Any:
    """The n-th requests of an account that are answered badly: one of them, or each so many."""
    return lambda n: n == first or (every > 0 and n > first and (n - first) % every == 0)


# what X says · when · rest of the account: minutes, of all operations or of one · state · how the run goes on
SCRIPTS: dict[str, tuple[dict[str, Any], Any, tuple[int, bool] | None, str | None, str]] = {
    "suspended": ({"status": 403, "codes": {64}}, strikes(2), None, "SUSPENDED", "other"),
    "locked": ({"status": 403, "codes": {326}}, strikes(2), None, "NEEDS_HUMAN", "other"),
    "expired": ({"status": 401, "codes": {32}}, strikes(2, 6), None, "NEEDS_LOGIN", "other"),
    "thrown_out": ({"status": 403}, strikes(3), None, "NEEDS_LOGIN", "other"),
    "automated": ({"status": 403, "codes": {226}}, strikes(2, 5), (60, True), None, "other"),
    "limited": ({"status": 200, "codes": {88}, "room": True}, strikes(1, 3), (15, False), None, "other"),
    "walled": ({"status": 403, "kind": "cloudflare"}, strikes(1, 4), (5, True), None, "other"),
    "busy": ({"status": 503, "kind": "loadshed"}, strikes(1, 2), None, None, "again"),
    "hollow": ({"status": 200, "kind": "no_instructions", "has_data": True}, strikes(2, 3), (5, False), None, "again"),
    "strange": ({"status": 418, "codes": {9999}}, strikes(2, 4), (2, True), None, "unknown"),
    "broken": ({"status": 0, "kind": "empty"}, strikes(1, 3), None, None, "again"),
}


@dataclass
class Book:
    """What the oracle knows of one account."""

    script: str | None
    state: str = "NEW"
    asked: int = 0
    """Requests since the begin."""
    rest_all: datetime | None = None
    rest_one: datetime | None = None
    days: Counter[str] = field(default_factory=Counter)
    opened: datetime | None = None
    in_window: int = 0

    def lent(self, now: datetime) -> str:
        """What is wrong with lending the account now; empty when nothing is."""
        if self.state not in ("NEW", "ACTIVE"):
            return f"is {self.state}"
        if any(rest is not None and now < rest for rest in (self.rest_all, self.rest_one)):
            return "rests"
        return "" if self.days[now.date().isoformat()] < BUDGET else "has used up its day"

    def answered(self, now: datetime) -> tuple[Answer, str]:
        """X's answer to one request, and what the run is to do; the books are kept."""
        self.asked += 1
        self.days[now.date().isoformat()] += 1
        if self.opened is None or now >= self.opened + WINDOW:
            self.opened, self.in_window = now, 0
        self.in_window += 1
        assert self.in_window <= LIMIT, "a request over X's limit"
        reset, left = self.opened + WINDOW, LIMIT - self.in_window
        said, when, rest, state, then = SCRIPTS.get(self.script or "", (GOOD, lambda _: False, None, None, "page"))
        if not when(self.asked):
            said, rest, state, then = GOOD, None, None, "page"
        if then == "page" or (then == "again" and said.get("has_data")):
            self.state = "ACTIVE" if self.state == "NEW" else self.state
        self.state = state or self.state
        left = max(left, 1) if said.get("room") else left
        spent = left == 0 and said["status"] == 200 and then == "page"
        if rest is not None:
            until = now + timedelta(minutes=rest[0])
            self.rest_all, self.rest_one = (until, self.rest_one) if rest[1] else (self.rest_all, until)
        if spent:
            self.rest_one = reset
        return _answer(said, reset, left), then


def _answer(said: dict[str, Any], reset: datetime, left: int) -> Answer:
    headers = {"limit": LIMIT, "remaining": left, "reset_at": reset} if said["status"] else {}
    return Answer(
        operation=OPERATION,
        status=said["status"],
        error_codes=frozenset(said.get("codes", ())),
        body_kind=said.get("kind", "json"),
        has_data=said.get("has_data", False),
        outline="{errors:[{code:number,message:text}]}" if said.get("codes") else "",
        **headers,
    )


class World:
    """The pool, the oracle's books and the runs."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock
        self.vault = Vault(Keyring({"k": b"k" * 32}))
        self.tables = PoolTables(database)
        self.pool = LeaseService(self.tables, self.vault, clock, daily_budget=BUDGET)
        self.books: dict[str, Book] = {}
        self.rng = random.Random(20261122)
        self.ends: Counter[str] = Counter()
        self.requests = 0
        self.logins: list[tuple[datetime, str]] = []

    async def people(self) -> None:
        bad = [script for number in range(ACCOUNTS // 3) for script in [list(SCRIPTS)[number % len(SCRIPTS)]]]
        scripts = [*bad, *[None] * (ACCOUNTS - len(bad))]
        self.rng.shuffle(scripts)
        async with self.database.transaction() as session:
            for number, script in enumerate(scripts):
                account = blank("ada", "x", f"user{number}", self.clock)
                refresh(account, {"auth_token": "a" * 40, "ct0": "c" * 32}, self.vault)
                session.add(account)
                self.books[account.id] = Book(script)

    async def relogin(self) -> None:
        """Accounts whose cookies expired are logged in after half an hour, as the worker would do it."""
        now = self.clock.now()
        due, self.logins = [one for one in self.logins if one[0] <= now], [one for one in self.logins if one[0] > now]
        for _, account_id in due:
            async with self.tables.work() as leases:
                account = await leases.account(account_id)
                assert account is not None
                Life(leases.facts(self.clock), self.clock).move(account, "ACTIVE", reason="Logged in.", by=LOGIN)
            self.books[account_id].state = "ACTIVE"

    async def request(self, run: Run) -> str | datetime:
        """One request of a run: what to do next, or when to come back."""
        wish = Wish(owner_id="ada", platform="x", operation=OPERATION, holder=run.name, sticky_account_id=run.sticky)
        now = self.clock.now()
        try:
            granted: Granted = await self.pool.acquire(wish, 60)
        except NoUsableAccount:
            return "no_account"
        except NoAccountNow as error:
            return error.available_at
        self.requests += 1
        run.sticky = granted.account.id
        book = self.books[run.sticky]
        wrong = book.lent(now)
        assert not wrong, f"lent an account of kind {book.script} that {wrong}"
        answer, then = book.answered(now)
        await self.pool.report(granted.lease_id, granted.account.fence, answer, "Strange things.")
        await self.pool.release(granted.lease_id, granted.account.fence)
        if book.script == "expired" and book.state == "NEEDS_LOGIN":
            self.logins.append((now + timedelta(minutes=30), run.sticky))
        return then


@dataclass
class Run:
    """An execution that wants some pages."""

    name: str
    wants: int
    began: datetime
    sticky: str = ""
    again: int = 0
    steps: int = 0

    def next(self, said: str | datetime, now: datetime) -> tuple[datetime, str]:
        """When it asks again, or the reason of its end."""
        self.steps += 1
        assert self.steps < 500, "an endless run"
        if isinstance(said, datetime):
            assert said > now, "room is said to be there, and is not"
            return (said, "") if said - self.began < PATIENCE else (now, "rate_limited_out")
        if said == "no_account":
            return now, said
        if said in ("again", "unknown"):
            self.again += 1
            return (now + timedelta(seconds=1), "") if self.again < 3 else (now, "source_error")
        if said == "page":
            self.again, self.wants = 0, self.wants - 1
        return now + timedelta(seconds=20), "" if self.wants > 0 else "exhausted"


async def go(world: World) -> None:
    """Let runs follow one another for the hours of the trial."""
    start = world.clock.now()
    names = iter(range(10**9))

    def fresh(now: datetime) -> Run:
        return Run(f"run-{next(names)}", world.rng.randint(1, 14), now)

    queue = [(start + timedelta(seconds=number), number, fresh(start)) for number in range(TAKERS)]
    while queue[0][0] < start + timedelta(hours=HOURS):
        when, number, run = heapq.heappop(queue)
        world.clock.advance(max(0.0, (when - world.clock.now()).total_seconds()))
        await world.relogin()
        now = world.clock.now()
        after, end = run.next(await world.request(run), now)
        if end:
            world.ends[end] += 1
            after = now + timedelta(minutes=world.rng.randint(1, 20))
            run = fresh(after)
        heapq.heappush(queue, (after, number, run))


async def test_the_pool_keeps_its_rules_whatever_accounts_do(tmp_path: Path) -> None:
    database_url = f"sqlite+aiosqlite:///{tmp_path / 'account.db'}"
    upgrade(database_url, "xget_account")
    database, clock = Database(database_url), ManualClock()
    try:
        world = World(database, clock)
        await world.people()
        await go(world)
        await check(world)
        await world.pool.close()
    finally:
        await database.close()


async def check(world: World) -> None:
    """Every account is where the oracle has it, its history leads there, and every run ended typed."""
    assert set(world.ends) <= TYPED
    assert world.ends["exhausted"] > 10 * HOURS
    async with world.database.read() as session:
        accounts = {row.id: row for row in await session.scalars(select(Account))}
        moves = list(await session.scalars(select(Move).order_by(Move.at, Move.id)))
        samples = list(await session.scalars(select(Sample)))
    assert {one: accounts[one].status for one in accounts} == {one: book.state for one, book in world.books.items()}
    assert not [one for one in accounts.values() if one.lease_holder is not None]
    last = {move.account_id: move.to_state for move in moves}
    assert all(accounts[one].status == state for one, state in last.items())
    reached = {world.books[one].script: accounts[one].status for one in accounts if accounts[one].status != "ACTIVE"}
    assert {"suspended", "locked", "thrown_out"} <= set(reached)
    assert 1 <= len(samples) <= 3, "one shape of unknown answers"
    assert {world.books[one].script for one in accounts if world.books[one].asked} == {None, *SCRIPTS}
    days = HOURS // 24
    print(f"{world.requests} requests, {len(moves)} moves, ends {dict(world.ends)}, states "
          f"{dict(Counter(one.status for one in accounts.values()))}")  # fmt: skip
    if days:  # they want more than the days' budgets hold
        sound = [book.days for book in world.books.values() if book.script is None]
        assert {count for used in sound for count in list(used.values())[:days]} == {BUDGET}
    else:
        assert world.requests > 100 * HOURS, world.requests
