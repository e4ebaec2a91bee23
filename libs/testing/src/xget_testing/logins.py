"""Logins of the account service against the sandbox, as its worker tries them: fixtures for its tests.

A test module imports those it wants; `__all__` keeps them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyotp
import pytest

from xget_account.adapters.login.ways import Ways
from xget_account.deps import Container
from xget_account.ports import Credentials, LoginResult, OnStep
from xget_account.repository import LifeRepository, LoginRepository
from xget_account.service.life import Life
from xget_account.service.logins import LoginRunner, Rules
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_sandbox.app import Options, Sandbox

TOTP = pyotp.random_base32()
ALICE = {"username": "alice", "password": "correct horse", "email": "alice@mail.test", "totp": TOTP}


class Via:
    """Every account has this proxy."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def address(self, owner_id: str, proxy_id: str | None) -> Secret | None:
        """The proxy's URL."""
        return Secret(self.url)


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """A sandbox in which Alice has an account."""
    monkeypatch.setenv("TWS_TELEMETRY", "0")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with Sandbox(Options(port=0, posts=20, ca_file=tmp_path / "ca.pem", imap_port=0)) as sandbox:
        sandbox.people.register(ALICE)
        yield sandbox


@pytest.fixture
def make_runner(
    app: Any, client: Any, clock: ManualClock, sandbox: Sandbox, settings: Settings
) -> Callable[..., LoginRunner]:
    """A worker's side of logins on the tables of the app; `via` wraps its transactions."""
    built: Container = replace(app.state.account, login_proxies=Via(sandbox.proxy_url))
    app.state.account = built

    @asynccontextmanager
    async def work() -> AsyncIterator[tuple[LoginRepository, Life]]:
        async with built.database.transaction() as session:
            facts = LifeRepository(session, clock, built.account_events)
            yield LoginRepository(session), Life(facts, clock)

    def make(*, flow: Any = None, proxy: str = sandbox.proxy_url, via: Any = None, **rules: Any) -> LoginRunner:
        hosts = f"mail.test=localhost:{sandbox.imap_port}"
        update = {"login_with": "flow", "imap_hosts": hosts, "login_code_seconds": 2.0}
        from_settings = settings.model_copy(update=update)
        return LoginRunner(
            name="w", work=via(work) if via else work, flow=flow or Ways(from_settings).flow, proxies=Via(proxy),
            vault=built.vault, clock=clock, rules=Rules(**rules),
        )  # fmt: skip

    return make


@pytest.fixture
async def alice(add_account: Callable[..., Awaitable[dict[str, Any]]]) -> str:
    """Alice's account in the pool, without a session."""
    return str((await add_account(**ALICE, cookies=None))["id"])


async def last(client: Any, account_id: str) -> dict[str, Any]:
    """The newest try of an account."""
    found: dict[str, Any] = (await client.get(f"/api/v1/accounts/{account_id}/logins")).json()["items"][0]
    return found


class Dying:
    """A flow of a worker that hangs in the middle of a login, and goes on too late. `cut` is set when it is stopped."""

    def __init__(self) -> None:
        self.begun, self.gate, self.cut = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def log_in(self, given: Credentials, on_step: OnStep) -> LoginResult:
        """Log in, late."""
        self.begun.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cut.set()
            raise
        return LoginResult("logged_in", "Late.", {"auth_token": "late", "ct0": "late"})
