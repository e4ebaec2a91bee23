"""Who waits in one process hears of a lease that another process gives back: PostgreSQL tells, nobody polls."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest

from xget_account.models import ACTIVE
from xget_account.repository import PoolTables, Wish
from xget_account.repository.ringing import room_bell
from xget_account.service import LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_testing.database import migrated, postgres_schema

__all__ = ["postgres_schema"]

OTHER = """
import asyncio, sys, time
from contextlib import asynccontextmanager
from xget_account.repository import PoolTables, Wish
from xget_account.repository.ringing import room_bell
from xget_account.service import LeaseService, Vault
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring

async def main():
    database, clock = Database(sys.argv[1]), SystemClock()

    bell = room_bell(database, clock)
    pool = LeaseService(PoolTables(database), Vault(Keyring({"k": b"k" * 32})), clock, daily_budget=100, bell=bell)
    lease = await pool.acquire(Wish(owner_id="ada", platform="x", operation="S", holder="other"), 600)
    print("taken", flush=True)
    await asyncio.sleep(2)
    await pool.release(lease.lease_id, lease.account.fence)
    print(time.time(), flush=True)
    await pool.close()
    await bell.close()
    await database.close()

asyncio.run(main())
"""


@pytest.mark.connected("postgres")
@pytest.mark.slow
async def test_a_lease_that_another_process_gives_back_is_heard_of(postgres_schema: str) -> None:
    vault, clock = Vault(Keyring({"k": b"k" * 32})), SystemClock()
    async with migrated("xget_account", postgres_schema) as database:
        async with database.transaction() as session:
            account = blank("ada", "x", "neo", clock)
            refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
            account.status = ACTIVE
            session.add(account)

        bell = room_bell(database, clock)
        pool = LeaseService(PoolTables(database), vault, clock, daily_budget=100, bell=bell)
        heard: list[str] = []
        bell.listen(heard.append)
        command = [sys.executable, "-c", OTHER, postgres_schema]
        other = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert other.stdout is not None
        assert (await other.stdout.readline()).strip() == b"taken"
        await pool.acquire(Wish(owner_id="ada", platform="x", operation="S", holder="mine"), 60, 25)
        answered = time.time()
        given_back = float(await other.stdout.readline())
        await other.wait()
        await pool.close()
        await bell.close()
    assert heard, "it was not told"
    assert answered - given_back < 15, "it waited for something else than the lease"
