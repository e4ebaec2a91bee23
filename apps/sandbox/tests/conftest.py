"""A running sandbox and unmodified twscrape against it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from twscrape import API, Account, AccountsPool
from twscrape.queue_client import XClIdGenStore
from twscrape.xclid import XClIdGen

from xget_sandbox.app import Options, Sandbox

Start = Callable[..., Awaitable[Sandbox]]


class OnePool(AccountsPool):
    """Hands out its accounts in turn, skipping those that twscrape locked or gave up."""

    def __init__(self, proxy: str, names: tuple[str, ...] = ("alice",)) -> None:
        self.proxy = proxy
        self.free = list(names)
        self.locked: list[tuple[str, int]] = []
        self.inactive: list[tuple[str, str | None]] = []

    async def get_for_queue_or_wait(self, queue: str) -> Account | None:
        if not self.free:
            return None
        name = self.free[0]
        return Account(
            username=name, password="_", email="_", email_password="_", user_agent="@chrome", active=True,
            cookies={"auth_token": f"token-{name}", "ct0": f"csrf-{name}"}, proxy=self.proxy,
        )  # fmt: skip

    async def lock_until(self, username: str, queue: str, unlock_at: int, req_count: int = 0) -> None:
        self.locked.append((username, unlock_at))
        self.free.remove(username)

    async def unlock(self, username: str, queue: str, req_count: int = 0) -> None:
        return None

    async def mark_inactive(self, username: str, error_msg: str | None) -> None:
        self.inactive.append((username, error_msg))
        self.free.remove(username)


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts sandboxes; their CAs are in SSL_CERT_FILE."""
    running: list[Sandbox] = []
    monkeypatch.setenv("TWS_TELEMETRY", "0")
    XClIdGenStore.items.clear()

    async def begin(**options: Any) -> Sandbox:
        ca_file = tmp_path / f"ca-{len(running)}.pem"
        sandbox = Sandbox(Options(port=0, ca_file=ca_file, **{"posts": 600, **options}))
        await sandbox.start()
        running.append(sandbox)
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(b"".join(one.authority.pem for one in running))
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        return sandbox

    yield begin
    for sandbox in running:
        await sandbox.stop()


@pytest.fixture
def make_api() -> Callable[..., API]:
    """twscrape's API over a sandbox."""
    return lambda sandbox, *names: API(OnePool(sandbox.proxy_url, names or ("alice",)))


@pytest.fixture
def ask() -> Callable[..., Awaitable[Any]]:
    """The sandbox's own pages: GET with parameters, POST with a body; the answer's JSON."""

    async def call(sandbox: Sandbox, name: str, *, post: Any = None, **parameters: Any) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            url = f"{sandbox.proxy_url}/__sandbox__/{name}"
            answer = await (client.get(url, params=parameters) if post is None else client.post(url, json=post))
            return answer.json()

    return call


@pytest.fixture
def gql() -> Callable[..., Awaitable[httpx.Response]]:
    """One raw GraphQL request as a browser would send it, with the variables given; `headers` are added or replaced."""

    async def call(sandbox: Sandbox, operation: str, **variables: Any) -> httpx.Response:
        account, headers = variables.pop("account", "alice"), variables.pop("headers", {})
        path = f"/i/api/graphql/abc/{operation}"
        maker = XClIdGenStore.items.get(account) or await XClIdGen.create(
            proxy=sandbox.proxy_url, cookies={"auth_token": "any"}
        )
        XClIdGenStore.items[account] = maker
        sent = {
            "authorization": "Bearer AAAA",
            "cookie": f"auth_token=token-{account}; ct0=csrf",
            "x-csrf-token": "csrf",
            "x-client-transaction-id": maker.calc("GET", path),
        }
        async with httpx.AsyncClient(proxy=sandbox.proxy_url, timeout=60) as client:
            params = {"variables": json.dumps(variables), "features": "{}"}
            return await client.get(f"https://x.com{path}", params=params, headers={**sent, **headers})

    return call
