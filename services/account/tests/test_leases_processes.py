"""Several processes on one database file: still one lease at a time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from xget_account.app import create_app
from xget_account.settings import Settings
from xget_testing.apps import running

WORKER = """
import asyncio, sys
from contextlib import asynccontextmanager
from xget_account.errors import NoAccountNow
from xget_account.repository import PoolTables, Wish
from xget_account.service import LeaseService, Vault
from xget_account.settings import Settings
from xget_db.engine import Database
from xget_kernel.clock import SystemClock

async def main(name):
    settings = Settings()
    database = Database(settings.tables_url)

    pool = LeaseService(PoolTables(database), Vault(settings.keyring()), SystemClock(), daily_budget=100000)
    taken = 0
    while taken < 40:
        try:
            wish = Wish(owner_id="local", platform="x", operation="Search", holder=name)
            lease = await pool.acquire(wish, 60)
        except NoAccountNow:
            await asyncio.sleep(0.001)
            continue
        print("in", lease.account.fence, flush=True)
        print("out", lease.account.fence, flush=True)
        await pool.release(lease.lease_id, lease.account.fence)
        taken += 1
    await database.close()

asyncio.run(main(sys.argv[1]))
"""


async def one_account(home: Path) -> None:
    settings = Settings(home=home, port=0, open_mode=True, internal_token="inner")
    async with running(create_app(settings)) as client:
        body = {"username": "neo", "cookies": {"auth_token": "a", "ct0": "c"}}
        assert (await client.post("/api/v1/accounts", json=body)).status_code == 201


@pytest.mark.slow
def test_two_processes_never_hold_the_account_together(tmp_path: Path) -> None:
    asyncio.run(one_account(tmp_path))
    diary = tmp_path / "diary.txt"
    with diary.open("a") as file:
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, name], stdout=file, env={"XGET_HOME": str(tmp_path)})
            for name in ("a", "b")
        ]
        assert [worker.wait(300) for worker in workers] == [0, 0]
    entries = [line.split() for line in diary.read_text().splitlines()]
    assert len(entries) == 160
    for came, went in zip(entries[::2], entries[1::2], strict=True):
        assert (came[0], went[0], came[1]) == ("in", "out", went[1])
    fences = [int(number) for kind, number in entries if kind == "in"]
    assert fences == list(range(1, 81))
