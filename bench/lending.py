"""How fast proxies are lent and given back: one caller, and 64 at once, with 100 and with 10,000 proxies.

Ours is the proxy service's pool (`PoolService`) on its own tables, with all that a loan does: the account's proxy or
the best with room, limits, the lease, the rotation, the decrypted login, a durable commit. On PostgreSQL when
`XGET_ENGINES` names one. There is no peer: other tools that lend proxies keep no account of it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.table import Row, report
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_proxy.adapters.dns import system_addresses
from xget_proxy.deps import units
from xget_proxy.repository import AgainTables, ProxyRepository
from xget_proxy.service import Allowed, Gate, PoolService, Vault, Wish
from xget_proxy.service.proxies import fresh
from xget_testing.database import fresh_schema, migrated

SIZES: Final = (100, 10_000)
CALLERS: Final = 64
WARM: Final = 50
ALONE: Final = 400
SECONDS: Final = 3.0
MOST_MS: Final = 10.0
TARGET: Final = 500.0


def measure() -> list[Row]:
    """How long one caller waits, and what many get in a second, on each engine."""
    rows = []
    with ExitStack() as stack:
        shared = Path("/dev/shm")  # noqa: S108 - a disk that costs nothing: what is measured is our own work
        memory = shared if shared.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xget-bench-", dir=memory)))
        for size in SIZES:
            places: dict[str, Path | str] = {"SQLite": folder / f"proxy{size}.db"}
            engines = os.environ.get("XGET_ENGINES")
            if engines and (server := json.loads(Path(engines).read_text("utf-8")).get("postgres")):
                places["PostgreSQL"] = stack.enter_context(fresh_schema(server))
            for engine, place in places.items():
                rows += asyncio.run(_lent(engine, place, size))
    return rows


async def _lent(engine: str, place: Path | str, size: int) -> list[Row]:
    async with migrated("xget_proxy", place) as database:
        vault, clock = Vault(Keyring({"k": b"k" * 32})), SystemClock()
        await _fill(database, vault, size)
        gate = Gate(Allowed.parse("10.0.0.0/8"), system_addresses, clock)
        pool = PoolService(units(database.transaction), AgainTables(database), vault, gate, clock)
        alone = await _alone(pool)
        rate = await _together(pool)
        await pool.close()
    worst = statistics.quantiles(alone, n=100)[98] * 1000
    return [
        Row(
            name=f"proxy lease: Acquire, one caller, {size:,} proxies, {engine}",
            ours=f"p50 {statistics.median(alone) * 1000:.1f} ms, {len(alone)} times",
            value=f"p99 {worst:.1f} ms",
            target=f"≤ {MOST_MS:.0f} ms",
            ok=worst <= MOST_MS,
        ),
        Row(
            name=f"proxy lease: Acquire + Release, {CALLERS} callers, {size:,} proxies, {engine}",
            ours=f"{rate:.0f}/s",
            value=f"{rate:.0f}/s",
            target=f"≥ {TARGET:.0f}/s",
            ok=rate >= TARGET,
        ),
    ]


async def _alone(pool: PoolService) -> list[float]:
    """Seconds that each took; the first ones, which make the statements, are not counted."""
    waits = []
    for number in range(WARM + ALONE):
        began = time.perf_counter()
        chosen = await pool.acquire(_wish(number % 40))
        waits.append(time.perf_counter() - began)
        await pool.release(chosen.lease_id)
    return waits[WARM:]


async def _together(pool: PoolService) -> float:
    """Loans that were taken and given back, per second."""
    until, done = time.perf_counter() + SECONDS, itertools.count()

    async def caller(number: int) -> None:
        while time.perf_counter() < until:
            chosen = await pool.acquire(_wish(number))
            await pool.release(chosen.lease_id)
            next(done)

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return next(done) / (time.perf_counter() - began)


def _wish(number: int) -> Wish:
    return Wish(owner_id="ada", account_id=f"a{number}", operation="Search", holder="run", platform="x")


async def _fill(database: Database, vault: Vault, size: int) -> None:
    async with database.transaction() as session:
        hosts = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(size))
        rows = [fresh("ada", ("http", host, 8080, "user"), SystemClock().now()) for host in hosts]
        for row in rows:
            vault.seal(row, "secret")
        await ProxyRepository(session).add(rows)


if __name__ == "__main__":
    sys.exit(report(measure()))
