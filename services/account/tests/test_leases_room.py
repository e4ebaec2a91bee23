"""Room that another transaction takes between the look and the lease is not used twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.types import String

from xget_account.errors import LeaseLost, NoAccountNow
from xget_account.models import ACTIVE, Account, ApiAccess, LedgerEntry
from xget_account.repository import Held, LeaseRepository, PoolRepository, PoolTables, Wish
from xget_account.repository.room import this_month
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.playbook import Answer, Decision
from xget_db.direct import Direct
from xget_db.engine import Database
from xget_kernel.clock import ManualClock
from xget_kernel.errors import Unavailable
from xget_kernel.secrets import Keyring

SEARCH = Wish(owner_id="ada", platform="x", operation="S", holder="run")
POSTS = Wish(owner_id="ada", platform="x_api", operation="S", holder="run", units=10, unit_micros=1000)


def _use_up(_postgres: bool) -> Executable:
    return update(LedgerEntry).where(LedgerEntry.account_id == bindparam("id", type_=String)).values(remaining=0)


def _spend(_postgres: bool) -> Executable:
    mine = ApiAccess.account_id == bindparam("id", type_=String)
    return update(ApiAccess).where(mine).values(micros=ApiAccess.cap_micros)


class _Late(PoolRepository):
    """Sees accounts as they were a moment ago: the first look finds room that is gone."""

    async def first(self, wishes: Sequence[Wish], *given: Any) -> tuple[list[Held], list[Held] | None]:
        held, free = await super().first(wishes, *given)
        self._gone(wishes[0], free or [])
        return held, free

    async def free(self, wish: Wish, *given: Any) -> list[Held]:
        found = await super().free(wish, *given)
        self._gone(wish, found)
        return found

    def _gone(self, wish: Wish, found: list[Held]) -> None:
        for account in found[:1]:
            self._direct.later(_spend if wish.is_api else _use_up, {"id": account.id})


class _Tables(PoolTables):
    def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
        return _Late(direct, lock=lock)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def fill(database: Database, clock: ManualClock, vault: Vault, platform: str, count: int) -> None:
    async with database.transaction() as session:
        for number in range(count):
            account = blank("ada", platform, f"user{number}", clock)
            refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
            account.status, account.turn = ACTIVE, number
            session.add(account)
            await session.flush()
            reset = clock.now() + timedelta(minutes=5)
            entry = LedgerEntry(account_id=account.id, operation="S", limit=50, remaining=1, reset_at=reset)
            entry.updated_at = clock.now()
            session.add(entry)
            session.add(ApiAccess(account_id=account.id, cap_micros=10_000, month=this_month(clock.now())))


@pytest.mark.parametrize("wish", [SEARCH, POSTS], ids=["window", "money"])
async def test_an_account_whose_room_is_gone_is_passed_over(database: Database, wish: Wish) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, wish.platform, 3)
    pool = LeaseService(_Tables(database), vault, clock, daily_budget=50)
    with pytest.raises(NoAccountNow):  # each look takes the room of the one that it found
        await pool.acquire(wish, 60)
    async with database.read() as session:
        entries = list(await session.scalars(select(LedgerEntry)))
        accounts = list(await session.scalars(select(Account)))
        money = list(await session.scalars(select(ApiAccess)))
    assert [account.fence for account in accounts] == [0, 0, 0]
    assert {entry.used_today for entry in entries} == {0}
    assert {entry.remaining for entry in entries} == ({1} if wish.is_api else {0})
    assert {access.micros for access in money} == ({10_000} if wish.is_api else {0})
    await pool.close()


def _overtake(_postgres: bool) -> Executable:
    return update(Account).where(Account.id == bindparam("id", type_=String)).values(fence=Account.fence + 1)


class _Overtaken(PoolRepository):
    """Another has the account, and gives it back, between the look that locks nothing and the lease."""

    async def first(self, wishes: Sequence[Wish], *given: Any) -> tuple[list[Held], list[Held] | None]:
        held, free = await super().first(wishes, *given)
        for account in () if self.locks else (free or [])[:1]:
            self._direct.later(_overtake, {"id": account.id})
        return held, free


class _OvertakenTables(PoolTables):
    def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
        return _Overtaken(direct, lock=lock)


async def test_an_account_that_changed_since_the_look_is_looked_at_again(database: Database) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 2)
    pool = LeaseService(_OvertakenTables(database), vault, clock, daily_budget=50)
    wishes = [replace(SEARCH, holder=holder) for holder in ("one", "two")]
    granted = await asyncio.gather(*(pool.acquire(wish, 60) for wish in wishes))
    fences = {one.account.username: one.account.fence for one in granted}
    assert fences == {"user0": 2 if database.dialect == "postgresql" else 1, "user1": 1}
    async with database.read() as session:
        accounts = list(await session.scalars(select(Account)))
        entries = list(await session.scalars(select(LedgerEntry)))
    assert {account.username: account.fence for account in accounts} == fences
    assert [(entry.used_today, entry.remaining) for entry in entries] == [(1, 0), (1, 0)]
    await pool.close()


class _Changed(PoolRepository):
    """Another changes the account between the look that locks nothing and what is written of a report."""

    renames = True

    async def reported(self, wanted: Collection[tuple[str, str]], *given: Any) -> Any:
        found = await super().reported(wanted, *given)
        for account_id, _ in () if self.locks else wanted:
            self._direct.later(_rename if self.renames else _overtake, {"id": account_id})
        return found


def _rename(_postgres: bool) -> Executable:
    return update(Account).where(Account.id == bindparam("id", type_=String)).values(user_agent="another")


class _Lost(_Changed):
    renames = False


@pytest.mark.parametrize("kind", [_Changed, _Lost])
async def test_a_report_on_an_account_that_changed_since_the_look_is_judged_anew(
    database: Database, kind: type[PoolRepository]
) -> None:
    class Tables(PoolTables):
        def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
            return kind(direct, lock=lock)

    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 1)
    pool = LeaseService(Tables(database), vault, clock, daily_budget=50)
    granted = await pool.acquire(SEARCH, 60)
    answer = Answer(operation="S", status=200, limit=60, remaining=49, has_data=True)
    told = await asyncio.gather(
        pool.report(granted.lease_id, granted.account.fence, answer), return_exceptions=True
    )  # fmt: skip
    on_postgres = database.dialect == "postgresql"
    lost = on_postgres and kind is _Lost
    assert isinstance(told[0], LeaseLost if lost else Decision)
    async with database.read() as session:
        account = (await session.scalars(select(Account))).one()
        entry = (await session.scalars(select(LedgerEntry))).one()
    assert (account.lease_reports, account.used_today, entry.used_today) == (0 if lost else 1, 1, 1)
    assert entry.limit == (50 if lost else 60)
    assert account.user_agent == ("another" if on_postgres and kind is _Changed else granted.account.user_agent)
    await pool.close()


class _Closing(PoolRepository):
    """Another transaction uses the window up after the money of an account was counted."""

    async def hold_money(self, held: Collection[Held], *given: Any) -> set[str]:
        found = await super().hold_money(held, *given)
        for account in held:
            self._direct.later(_use_up, {"id": account.id})
        return found


class _ClosingTables(PoolTables):
    def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
        return _Closing(direct, lock=lock)


async def test_money_of_an_account_that_has_no_room_after_all_is_not_spent(database: Database) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x_api", 2)
    pool = LeaseService(_ClosingTables(database), vault, clock, daily_budget=50)
    with pytest.raises(NoAccountNow):
        await pool.acquire(replace(POSTS, units=1), 60)
    async with database.read() as session:
        money = list(await session.scalars(select(ApiAccess)))
    assert {(one.micros, one.units, one.requests, one.held_fence, one.held_units) for one in money} == {(0, 0, 0, 0, 0)}
    await pool.close()


class _Faulty(PoolTables):
    """Neither a look nor a session's transaction is to be had."""

    @asynccontextmanager
    async def look(self) -> AsyncIterator[LeaseRepository]:
        raise Unavailable("Gone.")
        yield

    work = look


async def test_a_fault_behind_the_commit_is_told_to_those_alone_whom_it_is_about(database: Database) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 1)
    pool = LeaseService(_Faulty(database), vault, clock, daily_budget=50)
    second = replace(SEARCH, holder="other")
    granted, refused = await asyncio.gather(
        pool.acquire(SEARCH, 60), pool.acquire(second, 60), return_exceptions=True
    )  # fmt: skip
    assert isinstance(granted, Granted)
    assert isinstance(refused, Unavailable)
    good = Answer(operation="S", status=200, limit=50, remaining=49, has_data=True)
    strange = replace(good, status=418)
    told = await asyncio.gather(
        pool.report(granted.lease_id, granted.account.fence, good),
        pool.report(granted.lease_id, granted.account.fence, strange),
        return_exceptions=True,
    )
    assert [type(answer) for answer in told] == [Decision, Unavailable]
    await pool.close()


class _OneChanged(PoolRepository):
    """Of several accounts, another changes the first between the look that locks nothing and what is written."""

    async def reported(self, wanted: Collection[tuple[str, str]], *given: Any) -> Any:
        found = await super().reported(wanted, *given)
        for account_id, _ in () if self.locks else sorted(wanted)[:1]:
            self._direct.later(_rename, {"id": account_id})
        return found


def keeping(kind: type[PoolRepository]) -> type[PoolTables]:
    """Who changes an account between the look and what is written keeps it for longer than anybody waits."""

    class Tables(PoolTables):
        def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
            return kind(direct, lock=lock)

        async def pool(self, work: Any) -> Any:
            if self._database.dialect == "postgresql":  # elsewhere the look is this transaction, too
                raise Unavailable("Another change holds what this one needs.")
            return await super().pool(work)

    return Tables


async def test_who_waits_in_vain_for_an_account_costs_no_other_his_lease(database: Database) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 2)
    pool = LeaseService(keeping(_Overtaken)(database), vault, clock, daily_budget=50)
    wishes = [replace(SEARCH, holder=holder) for holder in ("one", "two")]
    told = await asyncio.gather(*(pool.acquire(wish, 60) for wish in wishes), return_exceptions=True)
    on_postgres = database.dialect == "postgresql"
    assert [type(one) for one in told] == [Unavailable if on_postgres else Granted, Granted]
    async with database.read() as session:
        entries = list(await session.scalars(select(LedgerEntry)))
    assert sum(entry.used_today for entry in entries) == (1 if on_postgres else 2)
    await pool.close()


async def test_who_waits_in_vain_for_an_account_costs_no_other_his_report(database: Database) -> None:
    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 2)
    giving = LeaseService(PoolTables(database), vault, clock, daily_budget=50)
    leases = [await giving.acquire(replace(SEARCH, holder=holder), 60) for holder in ("one", "two")]
    leases.sort(key=lambda lease: lease.account.id)
    pool = LeaseService(keeping(_OneChanged)(database), vault, clock, daily_budget=50)
    answer = Answer(operation="S", status=200, limit=60, remaining=49, has_data=True)
    told = await asyncio.gather(
        *(pool.report(lease.lease_id, lease.account.fence, answer) for lease in leases), return_exceptions=True
    )
    on_postgres = database.dialect == "postgresql"
    assert [type(one) for one in told] == [Unavailable if on_postgres else Decision, Decision]
    async with database.read() as session:
        accounts = list(await session.scalars(select(Account).order_by(Account.id)))
    assert [account.lease_reports for account in accounts] == [0 if on_postgres else 1, 1]
    await giving.close()
    await pool.close()


class _Breaking(PoolRepository):
    """The database goes away before the second lease."""

    async def lease(self, held: Collection[Held], given: Any, operation: str, *more: Any) -> set[str]:
        if operation != SEARCH.operation:
            raise Unavailable("Gone.")
        return await super().lease(held, given, operation, *more)


async def test_a_lease_is_told_when_it_is_committed_and_forgotten_when_it_is_not(database: Database) -> None:
    class Tables(PoolTables):
        def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
            return _Breaking(direct, lock=lock)

    clock, vault = ManualClock(), Vault(Keyring({"k": b"k" * 32}))
    await fill(database, clock, vault, "x", 2)
    pool = LeaseService(Tables(database), vault, clock, daily_budget=50)
    wishes = [SEARCH, replace(SEARCH, operation="T", holder="other")]
    told = await asyncio.gather(*(pool.acquire(wish, 60) for wish in wishes), return_exceptions=True)
    lasts = database.dialect == "postgresql"  # each of the two is a transaction of its own there
    assert [type(one) for one in told] == [Granted if lasts else Unavailable, Unavailable]
    async with database.read() as session:
        accounts = list(await session.scalars(select(Account)))
    assert sum(account.fence for account in accounts) == (1 if lasts else 0)
    await pool.close()
