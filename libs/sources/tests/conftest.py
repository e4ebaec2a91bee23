"""A running sandbox, a session that lends accounts, and the source between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from twscrape.queue_client import XClIdGenStore

from xget_kernel.clock import SystemClock
from xget_sandbox.app import Options, Sandbox
from xget_sources.ports import CollectRequest, Lease, NoAccount, Outcome, RawPage
from xget_sources.x.x_source import XSource


class Lender:
    """A session over a few accounts of one proxy; an account that X refuses is not lent again."""

    def __init__(self, proxy_url: str | None, accounts: tuple[str, ...] = ("alice", "bob", "carol")) -> None:
        self.proxy_url = proxy_url
        self.accounts = list(accounts)
        self.cookies = {name: {"auth_token": f"token-{name}", "ct0": f"csrf-{name}"} for name in accounts}
        self.outcomes: list[Outcome] = []
        self.lent: list[str] = []
        self.held: set[str] = set()

    async def acquire(self, operation: str) -> Lease:
        if not self.accounts:
            raise NoAccount("No account has room.", datetime.now(UTC) + timedelta(minutes=15))
        name = self.accounts[0]
        self.lent.append(name)
        lease_id = f"lease-{len(self.lent)}"
        self.held.add(lease_id)
        return Lease(
            lease_id=lease_id,
            fencing_token=len(self.lent),
            account_id=name,
            username=name,
            cookies=self.cookies[name],
            headers={},
            user_agent=None,
            proxy_id="proxy-1",
            proxy_url=self.proxy_url,
            expires_at=datetime.now(UTC) + timedelta(minutes=5),
        )

    async def report(self, lease: Lease, outcome: Outcome) -> str:
        self.outcomes.append(outcome)
        refused = outcome.status in (401, 403, 429) or {88, 64, 326, 32} & set(outcome.error_codes)
        if refused and lease.account_id in self.accounts:
            self.accounts.remove(lease.account_id)
        return "rest" if refused else "go_on"

    async def release(self, lease: Lease) -> None:
        self.held.discard(lease.lease_id)


class HastyClock(SystemClock):
    """The machine's clock for those who do not wait."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


Start = Callable[..., Awaitable[Sandbox]]
Gather = Callable[..., Awaitable[list[RawPage]]]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts a sandbox; its CA is what the source trusts."""
    running: list[Sandbox] = []
    XClIdGenStore.items.clear()

    async def begin(**options: Any) -> Sandbox:
        ca_file = tmp_path / f"ca-{len(running)}.pem"
        sandbox = Sandbox(Options(port=0, ca_file=ca_file, **{"posts": 600, **options}))
        await sandbox.start()
        running.append(sandbox)
        monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
        return sandbox

    yield begin
    for sandbox in running:
        await sandbox.stop()


@pytest.fixture
async def source() -> AsyncIterator[XSource]:
    """X as a source."""
    made = XSource(HastyClock())
    yield made
    await made.close()


@pytest.fixture
def gather(source: XSource) -> Gather:
    """Collects a task's pages to the end, or to a number of pages."""

    async def pages(
        lender: Lender, task_type: str, cursor: str | None = None, most: int = 1000, **params: Any
    ) -> list[RawPage]:
        found: list[RawPage] = []
        request = CollectRequest(task_type=task_type, parameters=params)
        async with aclosing(source.collect(request, lender, cursor)) as stream:
            async for page in stream:
                found.append(page)
                assert lender.held == set(), "a lease is held between pages"
                if len(found) == most:
                    break
        return found

    return pages


@pytest.fixture
def lender() -> type[Lender]:
    """The session's class: tests have no package to import it from."""
    return Lender
