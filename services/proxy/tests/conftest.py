"""The proxy service as its app builds it, on a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_proxy.app import create_app
from xget_proxy.service.addresses import Address
from xget_proxy.settings import Settings
from xget_rpc.client import RpcChannel
from xget_testing.apps import running
from xget_testing.asking import ask, nobody_else
from xget_testing.database import tables_made, tables_of
from xget_testing.tokens import TokenMaker

__all__ = ["ask", "tables_made"]

Adder = Callable[..., Awaitable[dict[str, Any]]]

database_url = tables_of("xget_proxy")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=Secret(database_url),
        port=0,
        internal_token="inner",
        proxy_check_url="http://site.test/robots.txt",
        proxy_check_seconds=20.0,
        proxy_allow_networks="10.0.0.0/8, 127.0.0.1, 2001:db8::/32",
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(clock: ManualClock) -> TokenMaker:
    return TokenMaker(clock)


@pytest.fixture
async def events(settings: Settings) -> AsyncIterator[SqliteEventLog]:
    log = SqliteEventLog(settings.home / "events.db")
    yield log
    await log.close()


@pytest.fixture
def names() -> dict[str, list[str]]:
    """What host names resolve to; all others are unknown."""
    return {}


@pytest.fixture
def app(settings: Settings, clock: ManualClock, tokens: TokenMaker, names: dict[str, list[str]]) -> FastAPI:
    async def resolve(name: str) -> Sequence[Address]:
        return [ip_address(address) for address in names.get(name, [])]

    return create_app(settings, clock=clock, verifier=tokens.verifier(), unknown=nobody_else, resolve=resolve)


@pytest.fixture
async def client(app: FastAPI, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=tokens.make("ada", ["operator"])) as client:
        yield client


@pytest.fixture
async def pool(app: FastAPI, client: httpx.AsyncClient) -> AsyncIterator[Any]:
    channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner", deadline=60.0)
    yield channel.stub(ProxyPoolStub)
    await channel.close()


@pytest.fixture
def add_proxy(client: httpx.AsyncClient) -> Adder:
    async def post(ip: str = "10.0.0.1", **fields: Any) -> dict[str, Any]:
        answer = await client.post("/api/v1/proxies", json={"type": "http", "ip": ip, "port": 8080} | fields)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return post
