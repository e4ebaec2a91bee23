"""Two replicas of the pool on machines whose clocks are ten minutes apart, over one PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import pytest

from xget_account.errors import NoAccountNow
from xget_account.repository import PoolTables, Wish
from xget_account.service import LeaseService, Vault
from xget_account.settings import Settings
from xget_db.clock import ServerClock, time_of
from xget_db.engine import Database
from xget_kernel.clock import SystemClock

pytestmark = pytest.mark.connected("postgres")
MINUTE = 60.0


class Machine(SystemClock):
    def __init__(self, error: float) -> None:
        self._error = timedelta(seconds=error)

    def now(self) -> datetime:
        return super().now() + self._error


@pytest.fixture
async def pools(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[list[LeaseService]]:
    if not settings.is_real("tables"):
        pytest.skip("A file has one machine and one clock.")
    database, vault, found = Database(settings.tables_url), Vault(settings.keyring()), []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        for error in (-5 * MINUTE, 5 * MINUTE):
            clock = ServerClock(Machine(error))
            await stack.enter_async_context(clock.following_server(time_of(database)))
            found.append(LeaseService(PoolTables(database), vault, clock, daily_budget=100))
        yield found


async def test_a_lease_of_one_is_seen_by_the_other_until_it_ends(pools, add_account):
    owner = (await add_account("neo"))["owner_id"]
    for one, other in (pools, pools[::-1]):
        lease = await one.acquire(wish(owner, "one"), 600)
        assert abs(lease.expires_at - datetime.now(UTC) - timedelta(seconds=600)) < timedelta(seconds=30)
        with pytest.raises(NoAccountNow) as refused:
            await other.acquire(wish(owner, "other"), 60)
        assert 550 <= refused.value.retry_after <= 630
        await one.release(lease.lease_id, lease.account.fence)


async def test_a_lease_that_ended_is_free_for_both(pools, add_account):
    owner = (await add_account("neo"))["owner_id"]
    ahead, behind = pools[1], pools[0]
    await ahead.acquire(wish(owner, "one"), 0)
    taken = await behind.acquire(wish(owner, "other"), 0)
    assert (await ahead.acquire(wish(owner, "third"), 60)).account.fence == taken.account.fence + 1


def wish(owner: str, holder: str) -> Wish:
    return Wish(owner_id=owner, platform="x", operation="Search", holder=holder)
