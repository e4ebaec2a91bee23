"""The trial: 256 takers in 4 processes on 1,000 accounts. None holds an account of another.

`XGET_SOAK=1`: 256 in each of the processes, on 10,000 accounts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from xget_account.models import ACTIVE
from xget_account.service import Vault
from xget_account.service.accounts import blank, refresh
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_testing.database import migrated, postgres_schema

__all__ = ["postgres_schema"]

SOAK = os.environ.get("XGET_SOAK") == "1"
ACCOUNTS, PROCESSES, TAKERS, SECONDS = (10_000, 4, 256, 30.0) if SOAK else (1000, 4, 64, 8.0)
TAKER = """
import asyncio, json, os, random, sys, time
from contextlib import asynccontextmanager
from xget_account.errors import NoAccountNow
from xget_account.repository import PoolTables, Wish
from xget_account.service import LeaseService, Vault
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring

url, name, seconds, takers, ttl = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])

async def main():
    database = Database(url)
    while sys.argv[-1].startswith("/") and not os.path.exists(sys.argv[-1]):
        await asyncio.sleep(0.02)

    pool = LeaseService(PoolTables(database), Vault(Keyring({"k": b"k" * 32})), SystemClock(), daily_budget=10**9)
    began, done = time.monotonic(), []

    async def taker(number):
        refused = 0.0
        while time.monotonic() - began < seconds or len(done) < 130:
            tried = time.time()
            try:
                wish = Wish(owner_id="ada", platform="x", operation="S", holder=f"{name}{number}")
                lease = await pool.acquire(wish, ttl)
            except NoAccountNow:
                refused = tried
                await asyncio.sleep(0.05)
                continue
            came = time.time()
            await asyncio.sleep(random.random() * 0.01)
            went = time.time()
            if "keep" in sys.argv:
                ends = lease.expires_at.timestamp()
                print(json.dumps([lease.account.id, lease.account.fence, refused, came, ends]), flush=True)
                await asyncio.sleep(3600)
            await pool.release(lease.lease_id, lease.account.fence)
            print(json.dumps([lease.account.id, lease.account.fence, came, went]), flush=True)
            done.append(number)

    await asyncio.gather(*(taker(number) for number in range(takers)))
    await database.close()

asyncio.run(main())
"""


async def fill(url: str, count: int) -> None:
    vault = Vault(Keyring({"k": b"k" * 32}))
    async with migrated("xget_account", url) as database, database.transaction() as session:
        for number in range(count):
            account = blank("ada", "x", f"user{number:04}", SystemClock())
            refresh(account, {"auth_token": "a", "ct0": "c"}, vault)
            account.status = ACTIVE
            session.add(account)


def begin(url: str, name: str, file: Path, *more: Any) -> subprocess.Popen[bytes]:
    with file.open("wb") as output:
        return subprocess.Popen([sys.executable, "-c", TAKER, url, name, *map(str, more)], stdout=output)


def leases_in(*files: Path) -> list[tuple[Any, ...]]:
    return [tuple(json.loads(line)) for file in files for line in file.read_text().splitlines()]


@pytest.mark.connected("postgres")
@pytest.mark.slow
def test_256_takers_in_4_processes_never_share_an_account(postgres_schema: str, tmp_path: Path) -> None:
    asyncio.run(fill(postgres_schema, ACCOUNTS))
    files = [tmp_path / f"{number}.jsonl" for number in range(PROCESSES)]
    takers = [begin(postgres_schema, f"p{n}-", file, SECONDS, TAKERS, 60) for n, file in enumerate(files)]
    assert [taker.wait(300) for taker in takers] == [0] * PROCESSES
    found = leases_in(*files)
    assert len(found) > 500, "they hardly came to work"
    fences = {(account, fence) for account, fence, _, _ in found}
    assert len(fences) == len(found), "a lease was given twice"
    by_account: dict[str, list[tuple[float, float]]] = {}
    for account, _, came, went in found:
        by_account.setdefault(account, []).append((came, went))
    for account, times in by_account.items():
        times.sort()
        for (_, went), (came, _) in pairwise(times):
            assert went <= came, f"{account} was held by two"
    print(f"{len(found)} leases of {len(by_account)} accounts in {SECONDS:.0f} s, no two at once")


@pytest.mark.connected("postgres")
@pytest.mark.slow
def test_the_lease_of_a_killed_process_is_free_when_it_runs_out(postgres_schema: str, tmp_path: Path) -> None:
    asyncio.run(fill(postgres_schema, 1))
    heir = begin(postgres_schema, "heir", tmp_path / "heir", 60, 1, 5, "keep", tmp_path / "go")
    dead = begin(postgres_schema, "dead", tmp_path / "dead", 60, 1, 5, "keep")
    while not (tmp_path / "dead").stat().st_size:
        assert dead.poll() is None
        asyncio.run(asyncio.sleep(0.05))
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    (tmp_path / "go").touch()
    ((_, first, _, _, ends),) = leases_in(tmp_path / "dead")
    for _ in range(1200):
        if (tmp_path / "heir").stat().st_size:
            break
        asyncio.run(asyncio.sleep(0.05))
    heir.kill()
    heir.wait()
    ((_, second, refused, taken, _),) = leases_in(tmp_path / "heir")
    assert second == first + 1
    assert 0 <= taken - ends <= 10
    assert refused <= ends, "who asks when it has run out gets it"
