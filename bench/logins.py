"""Memory of a login with Chromium through X's pages and Google's in the sandbox, and what is left of it afterwards.

Counted is the browser's process with all below it (PSS: pages that several share count once), looked at twice a second.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.table import Row, report
from xget_account.adapters.login.browser import BrowserFlow, BrowserRules
from xget_account.ports import LOGGED_IN, Credentials
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox
from xget_sources.browser import tree
from xget_testing.browsers import untold

MOST_MB = 600.0
LOGINS = int(os.environ.get("XGET_BENCH_LOGINS", "4"))
PASSWORD = "correct horse"  # noqa: S105 - of the sandbox
PEOPLE = (
    {"username": "ada", "password": PASSWORD, "email": "ada@mail.test", "challenge": "unusual"},
    {"username": "bea", "password": PASSWORD, "email": "bea@mail.test", "google": True},
)
"""Who logs in by turns: one through X's pages, one through Google's."""


def measure() -> list[Row]:
    """One row."""
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder, trusting(Path(folder) / "ca.pem"):
        peak, seconds, left = asyncio.run(_logins(Path(folder)))
    return [
        Row(
            name=f"browser login ({LOGINS} one after another, X and Google)",
            ours=f"{peak:.0f} MB at most, {seconds:.1f} s each, {left:.0f} MB afterwards",
            peer="–",
            value=f"{peak:.0f} MB",
            target=f"≤ {MOST_MB:.0f} MB, freed",
            ok=peak <= MOST_MB and left == 0,
        )
    ]


@contextmanager
def trusting(authority: Path) -> Iterator[None]:
    """`SSL_CERT_FILE` names the authority meanwhile."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(authority)
    try:
        yield
    finally:
        del os.environ["SSL_CERT_FILE"]
        if before is not None:
            os.environ["SSL_CERT_FILE"] = before


async def _logins(folder: Path) -> tuple[float, float, float]:
    flow = BrowserFlow(BrowserRules(home=folder, memory_mb=4000))
    async with Sandbox(Options(port=0, posts=20, ca_file=folder / "ca.pem")) as sandbox:
        sandbox.people.register(list(PEOPLE))
        before = set(tree.members(os.getpid()))
        proxy, password = Secret(sandbox.proxy_url), Secret(PASSWORD)
        began = time.perf_counter()
        for number in range(LOGINS):
            person = PEOPLE[number % 2]
            method = "GOOGLE" if "google" in person else "TWITTER"
            name, mail = str(person["username"]), str(person["email"])
            given = Credentials("bench", str(number), name, method, password, email=mail, proxy_url=proxy)
            result = await flow.log_in(given, untold)
            if result.outcome != LOGGED_IN:
                raise RuntimeError(f"{result.outcome}: {result.sentence}")
        seconds = (time.perf_counter() - began) / LOGINS
        left = sum(tree.memory_mb(pid) for pid in set(tree.members(os.getpid())) - before)
    return flow.peak_mb, seconds, left


if __name__ == "__main__":
    sys.exit(report(measure()))
