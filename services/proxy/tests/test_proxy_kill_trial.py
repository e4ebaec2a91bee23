"""kill -9 of who lends, checks and reads lists, at any moment: nothing is lost, doubled or half done.

`XGET_SOAK=1` kills more often. On SQLite and PostgreSQL.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_proxy.models import Provider, place_of, worth
from xget_proxy.repository import ProxyRepository
from xget_proxy.service import Vault
from xget_proxy.service.proxies import fresh
from xget_testing.database import query

pytestmark = pytest.mark.slow
DEATHS = {"sqlite": 2, "postgres": 1} if os.environ.get("XGET_SOAK") != "1" else {"sqlite": 25, "postgres": 25}
DOES = {"pool": {"lent", "reported", "ended"}, "worker": {"checked", "read"}}
DOES["both"] = DOES["pool"] | DOES["worker"]
PARTS = {"sqlite": ("both",), "postgres": ("pool", "worker")}
SEED = 6
USER = Path(__file__).with_name("proxies_in_use.py")
TTL = 3


async def fill(url: str) -> None:
    """Proxies with every kind of limit, and a provider whose list is due."""
    vault, now, database = Vault(Keyring({"k": b"k" * 32})), SystemClock().now(), Database(url)
    async with database.transaction() as session:
        rows = [fresh("ada", ("http", f"9.3.0.{n}", 8080, "u"), now) for n in range(12)]
        for number, row in enumerate(rows):
            vault.seal(row, "secret")
            row.max_concurrency = 2 if number % 2 else None
            row.daily_budget = 30 if number % 3 else None
        await ProxyRepository(session).add(rows)
        counts = {"added": 0, "removed": 0, "kept": 0, "refused": 0}
        provider = Provider(
            id="p1", owner_id="ada", name="list", host="lists.test", type="http", every_seconds=0,
            next_at=now, created_at=now, **counts,
        )  # fmt: skip
        vault.seal_url(provider, "https://lists.test/")
        session.add(provider)
    await database.close()


def engine_of(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgres"


def begun(url: str, part: str, seed: int, file: Path) -> subprocess.Popen[bytes]:
    with file.open("wb") as output:
        return subprocess.Popen([sys.executable, str(USER), part, url, str(seed)], stdout=output)


def facts(*files: Path) -> list[list[Any]]:
    """What was said to be done: a line that was cut off is none."""
    lines = [line for file in files for line in file.read_text("utf-8").split("\n")[:-1]]
    return [json.loads(line) for line in lines]


def killed_at_work(url: str, folder: Path, dice: random.Random, death: int) -> None:
    files = {part: folder / f"{part}{death}" for part in PARTS[engine_of(url)]}
    users = {part: begun(url, part, dice.randrange(1000), file) for part, file in files.items()}
    for part, user in users.items():
        until = time.monotonic() + 120
        wanted = 1 if death else len(DOES[part])  # the first has done some of everything before it dies
        while len({fact[0] for fact in facts(files[part])}) < wanted:
            assert user.poll() is None, f"{part} ended by itself"
            assert time.monotonic() < until
            time.sleep(0.02)
    for part in dice.sample(sorted(users), len(users)):
        time.sleep(0.3 + dice.random())
        assert users[part].poll() is None, f"{part} ended by itself"
        users[part].kill()
        users[part].wait()


def assert_nothing_is_lost(url: str, said: list[list[Any]]) -> None:
    leases = dict(query(url, "SELECT id, ended_at FROM leases"))
    assert {fact[1] for fact in said if fact[0] == "lent"} <= leases.keys(), "a lease that was given is not there"
    assert all(leases[fact[1]] for fact in said if fact[0] == "ended"), "a lease that was given back goes on"
    refused = {fact[1] for fact in said if fact[0] == "reported" and fact[2]}
    assert refused <= {row[0] for row in query(url, "SELECT proxy_id FROM reputations")}, "a refusal is forgotten"


def assert_counts_are_true(url: str) -> None:
    open_ones = "(SELECT count(*) FROM leases WHERE proxy_id = p.id AND ended_at IS NULL)"
    every = "(SELECT count(*) FROM leases WHERE proxy_id = p.id)"
    rows = query(
        url,
        f"SELECT lent, {open_ones}, used_today, {every}, max_concurrency, daily_budget, success_rate, latency, place "  # noqa: S608 - our own words
        "FROM proxies p",
    )
    for lent, unended, used, given, most, budget, rate, latency, place in rows:
        assert (lent, used) == (unended, given)
        assert most is None or unended <= most
        assert budget is None or given <= budget
        assert place == place_of(worth(rate, latency, lent))


def assert_no_list_is_half_taken(url: str) -> None:
    rows = query(url, "SELECT ip FROM proxies WHERE provider_id = 'p1' AND retired_at IS NULL")
    ips = sorted(row[0] for row in rows)
    lists = [sorted(f"9.{letter}.0.{n}" for n in range(1, 41)) for letter in (1, 2)]
    assert ips in [[], *lists]
    ((kept, error),) = query(url, "SELECT added + kept, last_error FROM providers")
    assert (kept, error) == (len(ips), None)


def assert_each_change_is_written_once(url: str) -> None:
    bound = dict(query(url, "SELECT account_id, proxy_id FROM bindings"))
    steps: dict[str, list[tuple[str | None, str]]] = {}
    for account, before, after in query(url, "SELECT account_id, from_proxy_id, proxy_id FROM rotations ORDER BY id"):
        steps.setdefault(account, []).append((before, after))
    assert bound.keys() == steps.keys()
    for account, walked in steps.items():
        assert [before for before, _ in walked] == [None, *(after for _, after in walked[:-1])]
        assert bound[account] == walked[-1][1]


async def lapsed(url: str, now: datetime) -> int:
    """Leases that are over and are ended then, by a process that lives."""
    database = Database(url)
    async with database.transaction() as session:
        count = await ProxyRepository(session).lending.lapse(now)
    await database.close()
    return count


def test_nothing_is_lost_or_doubled_when_who_works_is_killed(database_url: str, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    asyncio.run(fill(database_url))
    for death in range(DEATHS[engine_of(database_url)]):
        killed_at_work(database_url, tmp_path, dice, death)
        died = SystemClock().now()
        assert_nothing_is_lost(database_url, facts(*tmp_path.glob("[pbw]*[0-9]")))
        assert_counts_are_true(database_url)
        assert_no_list_is_half_taken(database_url)
        assert_each_change_is_written_once(database_url)
        query(
            database_url, "UPDATE proxies SET check_at = NULL"
        )  # what the dead had in hand, others take after minutes
        query(database_url, "UPDATE providers SET next_at = created_at")
    asyncio.run(lapsed(database_url, died + timedelta(seconds=TTL)))
    assert query(database_url, "SELECT sum(lent) FROM proxies") == [(0,)], "the dead keep nothing for longer"
    done = facts(*tmp_path.glob("[pbw]*[0-9]"))
    assert {fact[0] for fact in done} == {"lent", "reported", "ended", "checked", "read"}
