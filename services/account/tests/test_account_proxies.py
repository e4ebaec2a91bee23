"""The proxy of an account is looked up in the real proxy service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from xget_account.app import create_app
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_proxy.app import create_app as create_proxy_app
from xget_proxy.settings import Settings as ProxySettings
from xget_testing.apps import LOOPBACK, running
from xget_testing.tokens import TokenMaker

COOKIES = {"auth_token": "a", "ct0": "c"}


@pytest.fixture
async def both(
    tmp_path: Path, clock: ManualClock, tokens: TokenMaker
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    common: dict[str, Any] = {"home": tmp_path, "port": 0, "internal_token": "inner"}
    token = tokens.make("ada", ["operator"])
    proxy_app = create_proxy_app(ProxySettings(**common), clock=clock, verifier=tokens.verifier())
    async with running(proxy_app, token=token) as proxies:
        settings = Settings(**common, proxy_service_url=f"{LOOPBACK}:{proxy_app.state.grpc_port - 1000}")
        app = create_app(settings, clock=clock, verifier=tokens.verifier())
        async with running(app, token=token) as accounts:
            yield accounts, proxies


async def test_only_a_proxy_of_the_owner_is_accepted(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient], tokens: TokenMaker
) -> None:
    accounts, proxies = both
    mine = (await proxies.post("/api/v1/proxies", json={"type": "http", "ip": "8.8.8.8", "port": 1})).json()["id"]
    proxies.headers["Authorization"] = f"Bearer {tokens.make('bob', ['operator'])}"
    foreign = (await proxies.post("/api/v1/proxies", json={"type": "http", "ip": "8.8.8.8", "port": 1})).json()["id"]

    body = {"username": "neo", "cookies": COOKIES}
    for proxy_id in (foreign, "nonsense"):
        answer = await accounts.post("/api/v1/accounts", json=body | {"proxy_id": proxy_id})
        assert answer.status_code == 422
        assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [("proxy_id", "exists")]
    created = await accounts.post("/api/v1/accounts", json=body | {"proxy_id": mine})
    assert created.json()["proxy_id"] == mine
    url = f"/api/v1/accounts/{created.json()['id']}"

    refused = await accounts.put(url, json={"proxy_id": foreign})
    assert refused.status_code == 422
    assert (await accounts.put(url, json={"proxy_id": None})).json()["proxy_id"] is None
    text = "auth_token=x; ct0=y"
    assert (await accounts.post("/api/v1/accounts/import", json={"text": text, "proxy_id": foreign})).status_code == 422
    assert (await accounts.post("/api/v1/accounts/import", json={"text": text, "proxy_id": mine})).json()[
        "created"
    ] == 1

    accounts.headers["Authorization"] = f"Bearer {tokens.make('root', ['admin'])}"
    assert (await accounts.put(url, json={"proxy_id": mine})).status_code == 200
