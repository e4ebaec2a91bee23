"""Virtual hours of takers on accounts with X's windows: the account service's pool and twscrape's, in one table.

The scene is that of services/account/tests/test_pool_simulation.py: takers in four worker processes ask one account
service, each request takes 0.5 to 1.5 s, one in a thousand ends with its taker's death, and what X counts is a model
that no pool sees. Processes and service share one virtual clock, which goes on when all of them wait for it.

twscrape's `AccountsPool` runs on the same clock (`sleep`, `utc.now` and SQLite's `datetime` are the clock's; asking
SQLite for its version at each connection is left out), four of them on one file in one process, with one long search
for each taker, which is what suits it best: it asks with an account until X says that nothing is left, and throws that
page away, as its queue client does. It has fewer takers: each of them polls every 5 s, and three are enough.

`python -m bench.pool_simulation [hours] [accounts]`; `make bench` takes half an hour and 10 accounts.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.table import Row, report
from xget_testing.pool_simulation import Figures, Scene, Ticket, VirtualClock, XWindows, gini, simulate

TRIAL: Final = Path(__file__).resolve().parents[1] / "services/account/tests/test_pool_simulation.py"
OPERATION: Final = "SearchTimeline"
LIMIT: Final = 50
DEATHS: Final = 0.001
POOLS: Final = 4


def measure(hours: float = 0.5, accounts: int = 10) -> list[Row]:
    """Pages, requests over a limit and spread of use of both."""
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder:
        ours = asyncio.run(_ours(Path(folder) / "account.db", hours, accounts))
        peer = asyncio.run(_twscrape(Path(folder) / "twscrape.db", hours, accounts))
    return _rows(hours, accounts, ours, peer)


def _rows(hours: float, accounts: int, ours: tuple[Figures, XWindows], peer: tuple[Figures, XWindows]) -> list[Row]:
    possible = accounts * LIMIT * hours * 4
    scene = f"{accounts} accounts, {hours:g} h"
    shares = [figures.pages / possible for figures, _ in (ours, peer)]
    spreads = [gini([windows.requests[f"{n}"] for n in _names(windows, accounts)]) for _, windows in (ours, peer)]
    return [
        Row(
            name=f"simulation: pages of those possible, {scene}",
            ours=f"{ours[0].pages} of {possible:.0f}",
            peer=f"{shares[1]:.1%} (twscrape's pool)",
            value=f"{shares[0]:.1%}",
            target="≥ 98%",
            ok=shares[0] >= 0.98,
        ),
        Row(
            name=f"simulation: requests over a limit, {scene}",
            ours=f"{ours[1].over}",
            peer=f"{peer[1].over} (twscrape's pool)",
            value=f"{ours[1].over}",
            target="0",
            ok=ours[1].over == 0,
        ),
        Row(
            name=f"simulation: Gini of use, {scene}",
            ours=f"{spreads[0]:.3f}",
            peer=f"{spreads[1]:.3f} (twscrape's pool)",
            value=f"{spreads[0]:.3f}",
            target="≤ 0.05",
            ok=spreads[0] <= 0.05,
        ),
    ]


def _names(windows: XWindows, accounts: int) -> list[str]:
    """Accounts that were used, and as many as are missing."""
    used = list(windows.requests)
    return used + [f"unused-{n}" for n in range(accounts - len(used))]


async def _ours(path: Path, hours: float, accounts: int) -> tuple[Figures, XWindows]:
    scene = Scene(takers=max(1, accounts // 5), seconds=hours * 3600, deaths=DEATHS, limit=LIMIT)
    figures, windows = await _trial().for_processes(path, accounts, scene, POOLS)
    return figures, windows


def _trial() -> Any:
    spec = importlib.util.spec_from_file_location("xget_pool_trial", TRIAL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TwscrapePool:
    """twscrape's pool as its queue client uses it."""

    def __init__(self, pool: Any, clock: VirtualClock) -> None:
        self._pool = pool
        self._clock = clock
        self._spent: dict[str, datetime] = {}

    async def take(self, holder: str) -> Ticket | None:
        """`get_for_queue_or_wait`, which polls every 5 s."""
        account = await self._pool.get_for_queue_or_wait(OPERATION)
        return Ticket(account.username, account) if account else None

    async def told(self, ticket: Ticket, *, answered: bool, limit: int, left: int, reset_at: datetime) -> bool:
        """A page counts unless nothing is left after it: then it is thrown away."""
        if left == 0:
            self._spent[ticket.account] = reset_at
        return answered and left > 0

    async def back(self, ticket: Ticket) -> bool:
        """Locked when it is spent, else the search goes on with it."""
        reset_at = self._spent.pop(ticket.account, None)
        if reset_at is None:
            return False
        with self._clock.working():
            await self._pool.lock_until(ticket.account, OPERATION, int(reset_at.timestamp()), 1)
        return True


async def _twscrape(path: Path, hours: float, accounts: int) -> tuple[Figures, XWindows]:
    os.environ["TWS_TELEMETRY"] = "0"
    from twscrape import AccountsPool  # noqa: PLC0415 - it reads its environment when it is imported

    clock = VirtualClock()
    windows = XWindows(clock, LIMIT)
    with _virtual(clock):
        pools = [TwscrapePool(AccountsPool(str(path)), clock) for _ in range(POOLS)]
        for number in range(accounts):
            await pools[0]._pool.add_account_cookies(f"user{number:03}", "auth_token=a; ct0=c")
        scene = Scene(takers=max(1, accounts // 33), seconds=hours * 3600, deaths=DEATHS, limit=LIMIT)
        figures = await simulate(clock, windows, pools, scene)
    return figures, windows


@contextmanager
def _virtual(clock: VirtualClock) -> Iterator[None]:
    """twscrape's sleeps and times are the clock's."""
    from loguru import logger  # noqa: PLC0415 - twscrape brings it along
    from twscrape import accounts_pool, db, utils  # noqa: PLC0415

    logger.disable("twscrape")
    entered, now, module = db.DB.__aenter__, utils.utc.now, accounts_pool.asyncio
    version = db.check_version
    fetched, executed = accounts_pool.fetchone, accounts_pool.execute

    def moment(*words: Any) -> str:
        at = clock.now() if words[0] == "now" else datetime.fromtimestamp(words[0], clock.now().tzinfo)
        return f"{at + timedelta(minutes=15 * ('+15 minutes' in words)):%Y-%m-%d %H:%M:%S}"

    async def entering(self: Any) -> Any:
        connection = await entered(self)
        await connection.create_function("datetime", -1, moment)
        return connection

    def counted(work: Any) -> Any:
        async def call(*args: Any) -> Any:
            with clock.working():
                return await work(*args)

        return call

    async def known() -> None:
        """The version of SQLite does not change within a run."""

    db._lock = asyncio.Lock()  # the one there belongs to the loop of who used it first
    db.DB.__aenter__, utils.utc.now = entering, staticmethod(clock.now)
    db.check_version = known
    accounts_pool.asyncio = types.SimpleNamespace(sleep=clock.sleep)
    accounts_pool.fetchone, accounts_pool.execute = counted(fetched), counted(executed)
    try:
        yield
    finally:
        db.DB.__aenter__, utils.utc.now, accounts_pool.asyncio = entered, now, module
        accounts_pool.fetchone, accounts_pool.execute, db.check_version = fetched, executed, version


if __name__ == "__main__":
    words = sys.argv[1:]
    hours = float(words[0]) if words else 0.5
    sys.exit(report(measure(hours, int(words[1]) if len(words) > 1 else 10)))
