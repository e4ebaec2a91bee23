"""Checks of proxies per second, and the memory of the process that makes them.

Ours is the proxy worker's round (`CheckService.in_turn`) over real tables: it takes the proxies that are due, decrypts,
looks at each address, fetches the page through each by CONNECT with TLS inside, and writes down what came. The peer is
a bare loop of httpx over the same proxies, as many at once, that writes nothing down. The proxy and the site are a
process of their own on loopback (the sandbox), and so is each that checks: its resident memory at the end is its own.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx

from bench.table import Row, report
from xget_db.engine import Database
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Keyring
from xget_proxy.adapters.dns import system_addresses
from xget_proxy.adapters.http import HttpProbe
from xget_proxy.deps import units
from xget_proxy.repository import ProxyRepository
from xget_proxy.service import Allowed, CheckService, Gate, Rhythm, Vault
from xget_proxy.service.proxies import fresh
from xget_sandbox.app import Options, Sandbox
from xget_testing.database import migrated

PROXIES: Final = 1200
AT_ONCE: Final = 64
TARGET: Final = 200.0
MOST_MB: Final = 150.0
SITE: Final = "https://x.com/robots.txt"
_CONTEXT: Final = multiprocessing.get_context("spawn")


def measure() -> list[Row]:
    """Checks per second and resident memory, beside a bare loop."""
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder, _sandbox(Path(folder)) as port:
        rate, memory, good = _apart(_ours, Path(folder), port)
        bare, bare_memory, _ = _apart(_bare, Path(folder), port)
    return [
        Row(
            name=f"proxy checks ({PROXIES} proxies, {AT_ONCE} at once)",
            ours=f"{rate:,.0f}/s",
            peer=f"{bare:,.0f}/s (bare httpx)",
            value=f"{rate:,.0f}/s, {good} went well",
            target=f"≥ {TARGET:g}/s",
            ok=rate >= TARGET and good == PROXIES,
        ),
        Row(
            name="  resident memory of who checks",
            ours=f"{memory:.0f} MB",
            peer=f"{bare_memory:.0f} MB",
            value=f"{memory:.0f} MB",
            target=f"≤ {MOST_MB:g} MB",
            ok=memory <= MOST_MB,
        ),
    ]


@contextmanager
def _sandbox(folder: Path) -> Iterator[int]:
    ready, told = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_serve, args=(str(folder), told), daemon=True)
    process.start()
    try:
        if not ready.poll(60):
            raise RuntimeError("The sandbox did not start.")
        yield int(ready.recv())
    finally:
        process.terminate()
        process.join(10)


def _serve(folder: str, told: object) -> None:
    async def serve() -> None:
        async with Sandbox(Options(port=0, posts=0, ca_file=Path(folder) / "ca.pem")) as sandbox:
            told.send(sandbox.server.port)  # type: ignore[attr-defined] # multiprocessing's Connection has no public type
            await asyncio.Event().wait()

    asyncio.run(serve())


def _apart(work: Callable[[Path, int], tuple[float, int]], folder: Path, port: int) -> tuple[float, float, int]:
    """Rate, resident megabytes and successes of a piece of work in a process of its own."""
    answer, told = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_run, args=(work, str(folder), port, told))
    process.start()
    told.close()
    try:
        if not answer.poll(120):
            raise RuntimeError("The checks did not end.")
        rate, memory, good = json.loads(answer.recv())
    finally:
        process.join(10)
        process.kill()
    return rate, memory, good


def _run(work: Callable[[Path, int], tuple[float, int]], folder: str, port: int, told: object) -> None:
    os.environ["SSL_CERT_FILE"] = str(Path(folder) / "ca.pem")
    rate, good = work(Path(folder), port)
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    memory = int(next(line for line in status if line.startswith("VmRSS")).split()[1]) / 1024
    told.send(json.dumps([rate, memory, good]))  # type: ignore[attr-defined] # as above


def _ours(folder: Path, port: int) -> tuple[float, int]:
    return asyncio.run(_rounds(folder, port))


async def _rounds(folder: Path, port: int) -> tuple[float, int]:
    async with migrated("xget_proxy", folder / "proxy.db") as database:
        vault, clock = Vault(Keyring({"k": b"k" * 32})), SystemClock()
        await _fill(database, vault, port)
        checks = CheckService(
            units(database.read),
            units(database.transaction),
            vault,
            Gate(Allowed.parse("127.0.0.1"), system_addresses, clock),
            probe=HttpProbe(SITE, 10.0),
            clock=clock,
            rhythm=Rhythm(timedelta(hours=1), AT_ONCE),
        )
        began, done = time.perf_counter(), 0
        while some := await checks.in_turn():
            done += some
        rate = done / (time.perf_counter() - began)
        async with database.read() as session:
            proxies, _ = await ProxyRepository(session).longest_unchecked(None, PROXIES)
            return rate, sum(proxy.success_rate == 1.0 for proxy in proxies)


async def _fill(database: Database, vault: Vault, port: int) -> None:
    async with database.transaction() as session:
        rows = [fresh("ada", ("http", "127.0.0.1", port, f"user{n}"), SystemClock().now()) for n in range(PROXIES)]
        for row in rows:
            vault.seal(row, "secret")
        await ProxyRepository(session).add(rows)


def _bare(folder: Path, port: int) -> tuple[float, int]:
    return asyncio.run(_loop(port))


async def _loop(port: int) -> tuple[float, int]:
    trust = httpx.create_ssl_context()
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> bool:
        proxy = f"http://user{number}:secret@127.0.0.1:{port}"
        async with turns, httpx.AsyncClient(proxy=proxy, verify=trust, trust_env=False) as client:
            return (await client.get(SITE)).status_code == httpx.codes.OK

    began = time.perf_counter()
    good = sum(await asyncio.gather(*(one(number) for number in range(PROXIES))))
    return PROXIES / (time.perf_counter() - began), good


if __name__ == "__main__":
    sys.exit(report(measure()))
