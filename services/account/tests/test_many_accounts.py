"""What is asked of very many accounts is looked at now and then, and says of when it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from xget_account.errors import NoAccountNow
from xget_account.repository import AccountRepository, PoolTables, Wish
from xget_account.repository.budgets import BudgetRepository
from xget_account.service import LeaseService, Vault, budgets, refusal
from xget_account.service.accounts import blank_row
from xget_account.service.budgets import BudgetService, KeptSums
from xget_account.service.remembering import Remembered
from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import ManualClock
from xget_kernel.pages import PageQuery
from xget_kernel.secrets import Keyring

ADA = Caller("ada", frozenset({"operator"}), "test")


class Looks:
    """What is looked at, in its order."""

    def __init__(self, *answers: int) -> None:
        self.answers, self.made = list(answers), 0

    async def __call__(self) -> int:
        self.made += 1
        await asyncio.sleep(0)
        return self.answers.pop(0)


async def test_who_comes_meanwhile_gets_the_same_answer_and_who_comes_later_a_new_one() -> None:
    clock, look = ManualClock(), Looks(1, 2)
    kept = Remembered[int](clock)
    together = await asyncio.gather(*(kept.get("a", look, lambda _: 30.0) for _ in range(5)))
    assert (together, look.made) == ([1] * 5, 1)
    clock.advance(29)
    assert await kept.get("a", look, lambda _: 30.0) == 1
    clock.advance(2)
    assert await kept.get("a", look, lambda _: 30.0) == 2


async def test_what_is_seen_of_few_is_not_kept_and_neither_is_a_failure() -> None:
    kept, look = Remembered[int](ManualClock()), Looks(1, 2, 3)
    assert [await kept.get("a", look, lambda _: 0.0) for _ in range(2)] == [1, 2]

    async def fail() -> int:
        raise OSError

    with pytest.raises(OSError):
        await kept.get("a", fail, lambda _: 30.0)
    assert await kept.get("a", look, lambda _: 30.0) == 3


async def _fill(database: Database, clock: ManualClock, names: list[str], **fields: Any) -> None:
    rows = [blank_row("ada", "x", name, clock) | {"status": "ACTIVE", "cookies": "sealed"} | fields for name in names]
    async with database.transaction() as session:
        await AccountRepository(session).take_in(rows)


@pytest.fixture
async def database(database_url: str) -> Any:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def test_sums_over_very_many_say_of_when_they_are(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(budgets, "MANY", 2)
    clock = ManualClock()
    sums, first = KeptSums(clock), clock.now()

    async def seen() -> tuple[int, int, timedelta]:
        async with database.read() as session:
            reader = BudgetService(AccountRepository(session), BudgetRepository(session), clock, sums, daily_budget=100)
            page = await reader.page(ADA, PageQuery(1, 20), None, None)
        return page.total, page.totals.budget_left, page.summed_at - first

    await _fill(database, clock, ["a"])
    assert await seen() == (1, 100, timedelta())
    await _fill(database, clock, ["b"])
    assert await seen() == (2, 200, timedelta()), "few are added up each time"
    await _fill(database, clock, ["c"])
    clock.advance(20)
    assert await seen() == (3, 200, timedelta()), "the list is of now, the sums are of a moment ago"
    clock.advance(11)
    assert await seen() == (3, 300, timedelta(seconds=31))


async def test_why_very_many_have_no_room_is_looked_up_now_and_then(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(refusal, "MANY", 2)
    clock, errors = ManualClock(), list[NoAccountNow]()
    later, sooner = clock.now() + timedelta(seconds=15), clock.now() + timedelta(seconds=12)
    pool = LeaseService(PoolTables(database), Vault(Keyring({"k": b"k" * 32})), clock, daily_budget=100)

    async def refused(operation: str = "Search") -> Any:
        with pytest.raises(NoAccountNow) as raised:
            await pool.acquire(Wish(owner_id="ada", platform="x", operation=operation, holder="run"), 60)
        errors.append(raised.value)
        return raised.value.available_at

    await _fill(database, clock, ["a", "b"], rest_until=later)
    assert await refused() == later
    await _fill(database, clock, ["c"], rest_until=sooner)
    assert await refused() == later, "what was said is said again"
    clock.advance(4)
    assert await refused() == later
    assert [error.retry_after for error in errors] == [15, 15, 11], "the time until then is that of now"
    assert len({*map(id, errors)}) == len(errors), "who raises an error adds to it: nobody shares his"
    assert await refused("Other") == sooner, "another question is looked up"
    clock.advance(7)
    assert await refused() == sooner, "ten seconds are over"
    await pool.close()
