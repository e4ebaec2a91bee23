"""Lease operations: acquire an account and give it back, 10,000 accounts, many takers at once.

Ours is the account service's pool (`LeaseService`) on its own tables, with all that a lease does: the least recently
used account that has room, the ledger, the day's budget, the fencing token, the decrypted cookies, durable commits. The
peer is twscrape's `AccountsPool` on its SQLite file: `get_for_queue` and `unlock`. Both are asked in one process, by
many takers, each of which takes, gives back and takes again; the peer by one alone too, and its better figure counts
(many of them wait for its file's lock). On PostgreSQL when `XGET_ENGINES` names one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bench.table import Row, report
from xget_account.models import ACTIVE
from xget_account.repository import LeaseRepository, Wish
from xget_account.service import LeaseService, Vault
from xget_account.service.accounts import blank, refresh
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_testing.database import fresh_schema, migrated

ACCOUNTS: Final = 10_000
TAKERS: Final = 64
SECONDS: Final = 4.0
TARGET: Final = 10.0
COOKIES: Final = {"auth_token": "a" * 40, "ct0": "c" * 64}
Pair = Callable[[str], Awaitable[str]]
"""Takes and gives back for a holder; the name of the account."""


def measure() -> list[Row]:
    """Pairs per second on each engine, beside twscrape's."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xget-bench-")))
        places: dict[str, Path | str] = {"SQLite": folder / "account.db"}
        engines = os.environ.get("XGET_ENGINES")
        if engines and (server := json.loads(Path(engines).read_text("utf-8")).get("postgres")):
            places["PostgreSQL"] = stack.enter_context(fresh_schema(server))
        peer = asyncio.run(_twscrape(folder / "twscrape.db"))
        return [_row(engine, asyncio.run(_ours(place)), peer) for engine, place in places.items()]


def _row(engine: str, ours: float, peer: float) -> Row:
    return Row(
        name=f"lease: acquire + release, {engine}",
        ours=f"{ours:.0f}/s, {TAKERS} takers",
        peer=f"{peer:.0f}/s (twscrape's pool)",
        value=f"{ours / peer:.1f}x",
        target=f"≥ {TARGET:.0f}x",
        ok=ours / peer >= TARGET,
    )


async def _ours(place: Path | str) -> float:
    async with migrated("xget_account", place) as database:
        vault = Vault(Keyring({"k": b"k" * 32}))
        await _fill(database, vault)

        @asynccontextmanager
        async def work() -> AsyncIterator[LeaseRepository]:
            async with database.transaction() as session:
                yield LeaseRepository(session)

        pool = LeaseService(work, vault, SystemClock(), daily_budget=1_000_000)

        async def pair(holder: str) -> str:
            granted = await pool.acquire(
                Wish(owner_id="ada", platform="x", operation="SearchTimeline", holder=holder), 60
            )
            await pool.release(granted.lease_id, granted.account.fence)
            return granted.account.username

        return await _rate(pair)


async def _fill(database: Database, vault: Vault) -> None:
    async with database.transaction() as session:
        for number in range(ACCOUNTS):
            account = blank("ada", "x", f"user{number:05}", SystemClock())
            refresh(account, COOKIES, vault)
            account.status = ACTIVE
            session.add(account)


async def _twscrape(path: Path) -> float:
    os.environ["TWS_TELEMETRY"] = "0"
    from twscrape import AccountsPool  # noqa: PLC0415 - it reads its environment when it is imported
    from twscrape.db import execute  # noqa: PLC0415

    pool = AccountsPool(str(path))
    await pool.add_account_cookies("user00000", "auth_token=a; ct0=c")
    rows = ",".join(f"('user{n:05}','_','_','_','@chrome',true,'{json.dumps(COOKIES)}')" for n in range(1, ACCOUNTS))
    names = "username, password, email, email_password, user_agent, active, cookies"
    await execute(str(path), f"INSERT INTO accounts ({names}) VALUES {rows}")  # noqa: S608 - constants of ours

    async def pair(_holder: str) -> str:
        account = await pool.get_for_queue("SearchTimeline")
        assert account is not None, "twscrape has no account free"
        await pool.unlock(account.username, "SearchTimeline", 1)
        return str(account.username)

    return max(await _rate(pair, takers=1), await _rate(pair))


async def _rate(pair: Pair, takers: int = TAKERS) -> float:
    """Pairs per second of all takers together. No account is ever held twice."""
    await asyncio.gather(*(pair(f"warm-{number}") for number in range(8)))
    done = 0
    began = time.perf_counter()

    async def taker(number: int) -> None:
        nonlocal done
        while time.perf_counter() - began < SECONDS:
            await pair(f"run-{number}")
            done += 1

    await asyncio.gather(*(taker(number) for number in range(takers)))
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(report(measure()))
