"""Lease operations on 10,000 accounts, beside twscrape's pool, and how long who asks or waits has to wait.

Ours is the account service's pool (`LeaseService`) on its own tables, with all that a lease does: the least used
account that has room, the request counted before it is made, the day's budget, the fencing token, the decrypted
cookies, the playbook, durable commits; given back as it is, and with the report of an answer. The peer is twscrape's
`AccountsPool` on its SQLite file: `get_for_queue` and `unlock`, which learns nothing of an answer. Both are asked in
one process by 64 takers, each of which takes, gives back and takes again; the peer by one alone too, and its better
figure counts (many of them wait for its file's lock). On PostgreSQL when `XGET_ENGINES` names one.

How long Acquire takes is measured with 64 takers that work with what they took for a second, as with a page of X:
takers that do nothing but take are a measure of throughput, where the wait is 64 divided by the rate. Beside it stand
commits of one row by the engine's bare driver, as many and as often: the disk's part of it. On PostgreSQL accounts that
were given back leave dead entries at the head of the index until the server's autovacuum comes: so once before and once
after the measures of throughput.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from bench.commits import commits
from bench.table import Row, report
from bench.twscrape_pool import twscrape_use
from xget_account.models import ACTIVE
from xget_account.repository import PoolTables, Wish
from xget_account.repository.ringing import room_bell
from xget_account.service import Granted, LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_account.service.playbook import Answer
from xget_db.engine import Database
from xget_kernel import collector
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_testing.database import fresh_schema, migrated

ACCOUNTS: Final = 10_000
TAKERS: Final = 64
SECONDS: Final = 4.0
PAGE_SECONDS: Final = 1.0
ROOMS: Final = 60
TARGET: Final = 10.0
OPERATION: Final = "SearchTimeline"
COOKIES: Final = {"auth_token": "a" * 40, "ct0": "c" * 64}
Use = Callable[[str], Awaitable[str]]
"""Takes, reports and gives back for a holder; the name of the account."""


def measure() -> list[Row]:
    """Uses per second on each engine, beside twscrape's, and how long it takes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xget-bench-")))
        places: dict[str, Path | str] = {"SQLite": folder / "account.db"}
        engines = os.environ.get("XGET_ENGINES")
        if engines and (server := json.loads(Path(engines).read_text("utf-8")).get("postgres")):
            places["PostgreSQL"] = stack.enter_context(fresh_schema(server))
        peer = asyncio.run(_twscrape(folder / "twscrape.db"))
        return [row for engine, place in places.items() for row in asyncio.run(_ours(engine, place, peer))]


async def _ours(engine: str, place: Path | str, peer: float) -> list[Row]:
    async with migrated("xget_account", place) as database:
        vault, clock = Vault(Keyring({"k": b"k" * 32})), SystemClock()
        await _fill(database, vault)

        collector.calm()  # as the service does when it has started
        bell = room_bell(database, clock)
        pool = LeaseService(PoolTables(database), vault, clock, daily_budget=1_000_000, bell=bell)
        try:
            asked = await _asked(pool)
            plain = await _rate(_using(pool, reports=False))
            rate = await _rate(_using(pool))
            burst = await _asked(pool)
            bare = await commits(database, TAKERS, SECONDS, PAGE_SECONDS)
            rooms = await _rooms(pool)
        finally:
            await pool.close()
            await bell.close()
    return [
        _rate_row(f"Acquire + Release, {engine}", plain, peer),
        _rate_row(f"Acquire + Report that gives back, {engine}", rate, peer),
        _wait_row(
            f"lease: Acquire, {TAKERS} takers with pages of {PAGE_SECONDS:.0f} s, {engine}",
            asked,
            5.0,
            f"p50 {statistics.median(bare) * 1000:.1f} ms, p99 {_worst(bare):.1f} ms (bare one-row commits)",
        ),
        Row(
            name=f"lease: the same, right after some 60,000 of them, {engine}",
            ours=f"p50 {statistics.median(burst) * 1000:.1f} ms, {len(burst)} times",
            value=f"p99 {_worst(burst):.1f} ms",
        ),
        _wait_row(f"lease: from room to the answer, {TAKERS} waiting, {engine}", rooms, 100.0, "5 s polls (twscrape)"),
    ]


def _rate_row(name: str, ours: float, peer: float) -> Row:
    return Row(
        name=f"lease: {name}",
        ours=f"{ours:.0f}/s, {TAKERS} takers",
        peer=f"{peer:.0f}/s (twscrape's get_for_queue + unlock)",
        value=f"{ours / peer:.1f}x",
        target=f"≥ {TARGET:.0f}x",
        ok=ours / peer >= TARGET,
    )


def _wait_row(name: str, waits: list[float], most: float, peer: str) -> Row:
    """`waits` in seconds, `most` in milliseconds."""
    worst = _worst(waits)
    return Row(
        name=name,
        ours=f"p50 {statistics.median(waits) * 1000:.1f} ms, {len(waits)} times",
        peer=peer,
        value=f"p99 {worst:.1f} ms",
        target=f"≤ {most:.0f} ms",
        ok=worst <= most,
    )


def _worst(waits: list[float]) -> float:
    """Milliseconds that one in a hundred exceeds."""
    return statistics.quantiles(waits, n=100)[98] * 1000


def _wish(holder: str) -> Wish:
    return Wish(owner_id="ada", platform="x", operation=OPERATION, holder=holder)


def _answer() -> Answer:
    return Answer(
        operation=OPERATION,
        status=200,
        limit=1_000_000,
        remaining=900_000,
        reset_at=datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10),
    )


def _using(pool: LeaseService, *, reports: bool = True) -> Use:
    async def use(holder: str) -> str:
        granted = await pool.acquire(_wish(holder), 60)
        if reports:
            await pool.report(granted.lease_id, granted.account.fence, _answer(), release=True)
        else:
            await pool.release(granted.lease_id, granted.account.fence)
        return granted.account.username

    return use


async def _asked(pool: LeaseService) -> list[float]:
    """Seconds of each Acquire, of takers that work with what they took."""
    await _warm(_using(pool))
    waits: list[float] = []
    end = time.perf_counter() + 2 * SECONDS

    async def taker(number: int) -> None:
        await asyncio.sleep(random.random() * PAGE_SECONDS)
        while time.perf_counter() < end:
            began = time.perf_counter()
            granted = await pool.acquire(_wish(f"paced-{number}"), 60)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(PAGE_SECONDS * random.uniform(0.8, 1.2))
            await pool.report(granted.lease_id, granted.account.fence, _answer(), release=True)

    await asyncio.gather(*(taker(number) for number in range(TAKERS)))
    return waits


async def _rooms(pool: LeaseService) -> list[float]:
    """Seconds from the end of a release to the answer of who waits for the only account that all of them may use."""
    first = await pool.acquire(_wish("first"), 600)
    wish = replace(_wish(""), account_id=first.account.id)
    served: asyncio.Queue[tuple[Granted, float]] = asyncio.Queue()

    async def waiter(number: int) -> None:
        for turn in itertools.count():  # each a holder of its own: one that has a lease is given it back at once
            granted = await pool.acquire(replace(wish, holder=f"waits-{number}-{turn}"), 600, 30)
            await served.put((granted, time.perf_counter()))

    waiters = [asyncio.create_task(waiter(number)) for number in range(TAKERS)]
    await asyncio.sleep(1)
    waits, held = [], first
    for _ in range(ROOMS):
        releasing = time.perf_counter()
        await pool.release(held.lease_id, held.account.fence)
        held, answered = await served.get()
        waits.append(answered - releasing)
        await asyncio.sleep(0.02)
    for task in waiters:
        task.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    return waits


async def _fill(database: Database, vault: Vault) -> None:
    async with database.transaction() as session:
        for number in range(ACCOUNTS):
            account = blank("ada", "x", f"user{number:05}", SystemClock())
            refresh(account, COOKIES, vault)
            account.status = ACTIVE
            session.add(account)
    if database.dialect == "postgresql":  # as the server does by itself within a minute
        async with database.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            await cast(Any, driver).execute("VACUUM ANALYZE")


async def _twscrape(path: Path) -> float:
    use = await twscrape_use(path, ACCOUNTS, OPERATION, COOKIES)
    return max(await _rate(use, takers=1), await _rate(use))


async def _warm(use: Use) -> None:
    """Statements are put together and planned at their first use."""
    await asyncio.gather(*(use(f"warm-{number}") for number in range(8)))


async def _rate(use: Use, takers: int = TAKERS) -> float:
    """Uses per second of all takers together. No account is ever held twice."""
    await _warm(use)
    done = 0
    began = time.perf_counter()

    async def taker(number: int) -> None:
        nonlocal done
        while time.perf_counter() - began < SECONDS:
            await use(f"run-{number}")
            done += 1

    await asyncio.gather(*(taker(number) for number in range(takers)))
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(report(measure()))
