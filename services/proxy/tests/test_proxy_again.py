"""An account keeps its proxy by a few prepared statements; what the pool promises holds there too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from xget_db.engine import Database
from xget_kernel.clock import ManualClock
from xget_kernel.errors import Unavailable
from xget_kernel.secrets import Keyring
from xget_proxy.deps import units
from xget_proxy.errors import NoProxyNow
from xget_proxy.models import Lease, Proxy, place_of, worth
from xget_proxy.repository import AgainTables, ProxyRepository
from xget_proxy.service import Allowed, Gate, PoolService, Vault, Wish
from xget_proxy.service.proxies import fresh

CLOCK = ManualClock()


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[list[Database]]:
    """Two, as two processes have them."""
    async with AsyncExitStack() as stack:
        found = [Database(database_url), Database(database_url)]
        for database in found:
            stack.push_async_callback(database.close)
        yield found


def service(database: Database, clock: ManualClock = CLOCK, work: Any = None) -> PoolService:
    async def resolve(name: str) -> list[Any]:
        return []

    vault = Vault(Keyring({"k": b"k" * 32}))
    return PoolService(
        work or units(database.transaction),
        AgainTables(database),
        vault,
        Gate(Allowed.parse(""), resolve, clock),
        clock,
    )


async def add(database: Database, **fields: Any) -> str:
    async with database.transaction() as session:
        row = fresh("ada", ("http", "9.9.9.9", 8080, ""), CLOCK.now())
        for name, value in fields.items():
            setattr(row, name, value)
        await ProxyRepository(session).add([row])
        return row.id


async def stored(database: Database, proxy_id: str) -> tuple[Proxy, int]:
    """The row, and how many of its leases are open."""
    async with database.read() as session:
        row = await session.get_one(Proxy, proxy_id)
        found = await session.scalars(select(Lease).where(Lease.proxy_id == proxy_id, Lease.ended_at.is_(None)))
        return row, len(list(found))


def wish(number: int = 1, **fields: Any) -> Wish:
    return replace(Wish(owner_id="ada", account_id=f"a{number}", holder="run", operation="Search"), **fields)


@contextmanager
def said(database: Database) -> Iterator[list[str]]:
    found: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    yield found
    event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


async def test_a_loan_again_and_its_end_are_a_few_statements(databases: list[Database]) -> None:
    database, clock = databases[0], ManualClock()
    proxy_id = await add(database, latency=120.5, success_rate=0.75)
    pool = service(database, clock)
    await pool.release((await pool.acquire(wish())).lease_id)
    clock.advance(0.5)
    with said(database) as lent:
        chosen = await pool.acquire(wish(seconds=60))
    row, open_leases = await stored(database, proxy_id)
    assert (chosen.expires_at, row.lent, row.used_today, row.last_used) == (
        clock.now() + timedelta(seconds=60), 1, 2, clock.now(),
    )  # fmt: skip
    assert (row.place, row.turn) == (place_of(worth(0.75, 120.5, 1)), int(clock.now().timestamp() * 1_000_000))
    assert open_leases == 1
    with said(database) as ended:
        await pool.release(chosen.lease_id)
    row, open_leases = await stored(database, proxy_id)
    assert (row.lent, row.place, open_leases) == (0, place_of(worth(0.75, 120.5, 0)), 0)
    assert len(lent) <= 5, lent
    assert len(ended) <= 5, ended


async def test_limits_hold_over_two_processes_and_a_lease_ends_once(databases: list[Database]) -> None:
    proxy_id = await add(databases[0])
    pools = [service(database) for database in databases]
    for number in range(8):  # each comes to the proxy
        await pools[0].release((await pools[0].acquire(wish(number))).lease_id)
    async with databases[0].transaction() as session:
        (await session.get_one(Proxy, proxy_id)).max_concurrency = 3
    for _ in range(3):
        asked = (pools[number % 2].acquire(wish(number)) for number in range(8))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        leases = [one.lease_id for one in answers if not isinstance(one, BaseException)]
        assert len(leases) == 3, answers
        assert all(isinstance(one, NoProxyNow) for one in answers if isinstance(one, BaseException))
        row, open_leases = await stored(databases[0], proxy_id)
        assert (row.lent, open_leases) == (3, 3)
        await asyncio.gather(*(pool.release(lease) for lease in leases for pool in pools))
        row, open_leases = await stored(databases[0], proxy_id)
        assert (row.lent, open_leases) == (0, 0)


async def test_a_lease_that_lapses_makes_room_for_its_own_account(databases: list[Database]) -> None:
    clock = ManualClock()
    pool, proxy_id = service(databases[0], clock), await add(databases[0], max_concurrency=1)
    first = await pool.acquire(wish(seconds=5))
    with pytest.raises(NoProxyNow):
        await pool.acquire(wish())
    clock.advance(6)
    second = await pool.acquire(wish())
    assert second.proxy_id == first.proxy_id
    row, open_leases = await stored(databases[0], proxy_id)
    assert (row.lent, open_leases) == (1, 1)


async def test_a_fault_of_the_choice_is_told_to_those_alone_who_need_one(databases: list[Database]) -> None:
    proxy_id = await add(databases[0])
    pool = service(databases[0])
    await pool.release((await pool.acquire(wish(1))).lease_id)

    def away() -> Any:
        raise Unavailable("The tables are away.")

    broken = service(databases[0], work=away)
    kept, chosen = await asyncio.gather(broken.acquire(wish(1)), broken.acquire(wish(2)), return_exceptions=True)
    assert not isinstance(kept, BaseException)
    assert kept.proxy_id == proxy_id
    assert isinstance(chosen, Unavailable)
