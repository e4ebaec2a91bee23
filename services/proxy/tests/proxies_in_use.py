"""A process that uses the proxy service's tables until it is killed, and writes down what was done.

`pool`: callers lease, report and give back. `worker`: rounds of checks, and a provider whose list changes each time.
`both`: in one process, as `xget up` has them.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_proxy.deps import units
from xget_proxy.errors import NoProxyNow
from xget_proxy.repository import AgainTables
from xget_proxy.service import (
    Allowed,
    CheckService,
    Gate,
    PoolService,
    ProbeResult,
    ProviderService,
    Rhythm,
    Told,
    Upkeep,
    Vault,
    Wish,
)

OWNER, HOST, TTL, CALLERS = "ada", "lists.test", 3, 16
LISTS = tuple("\n".join(f"9.{letter}.0.{n}:8080:u:p" for n in range(1, 41)) for letter in (1, 2))


def told(*fact: Any) -> None:
    print(json.dumps(fact), flush=True)


async def resolve(name: str) -> list[Any]:
    return [ip_address("9.9.9.9")]


async def pool(database: Database, dice: random.Random) -> None:
    gate = Gate(Allowed.parse(""), resolve, SystemClock())
    vault = Vault(Keyring({"k": b"k" * 32}))
    lender = PoolService(units(database.transaction), AgainTables(database), vault, gate, SystemClock())

    async def caller(number: int) -> None:
        while True:
            wish = Wish(owner_id=OWNER, account_id=f"a{number}", holder="run", seconds=TTL, platform="x")
            try:
                chosen = await lender.acquire(wish)
            except NoProxyNow:
                await asyncio.sleep(0.02)
                continue
            told("lent", chosen.lease_id, chosen.proxy_id)
            refused = dice.random() < 0.1
            fact = Told(proxy_id=chosen.proxy_id, ok=True, latency_ms=50, lease_id=chosen.lease_id, platform="x")
            await lender.report(fact if not refused else Told(**{**vars(fact), "refused": True, "reason": "403"}))
            told("reported", chosen.proxy_id, refused)
            await lender.release(chosen.lease_id)
            told("ended", chosen.lease_id)

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))


async def worker(database: Database, dice: random.Random) -> None:
    vault, clock = Vault(Keyring({"k": b"k" * 32})), SystemClock()
    gate = Gate(Allowed.parse(""), resolve, clock)

    async def probe(url: str) -> ProbeResult:
        await asyncio.sleep(dice.random() * 0.01)
        return ProbeResult(ok=dice.random() < 0.9, latency_ms=dice.random() * 200, reason="cut")

    async def fetch(url: str, address: str) -> str:
        return dice.choice(LISTS)

    work = units(database.transaction)
    hosts = frozenset({HOST})
    providers = ProviderService(units(database.read), work, vault, gate, hosts=hosts, fetch=fetch, clock=clock)
    rhythm = Rhythm(timedelta(milliseconds=1), 16)
    checks = CheckService(units(database.read), work, vault, gate, probe=probe, clock=clock, rhythm=rhythm)
    upkeep = Upkeep(work, clock, timedelta(days=7), timedelta(days=7))
    while True:
        told("checked", await checks.in_turn())
        told("read", await providers.in_turn())
        await upkeep.prune()


async def main() -> None:
    part, url, seed = sys.argv[1:]
    database = Database(url)
    parts = {"pool": [pool], "worker": [worker], "both": [pool, worker]}[part]
    await asyncio.gather(*(work(database, random.Random(int(seed))) for work in parts))


if __name__ == "__main__":
    asyncio.run(main())
