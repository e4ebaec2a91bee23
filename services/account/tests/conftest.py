"""The account service as its app builds it, on a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_account.app import create_app
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_rpc.client import RpcChannel
from xget_testing.apps import running
from xget_testing.asking import ask, nobody_else
from xget_testing.database import tables_made, tables_of
from xget_testing.tokens import TokenMaker

__all__ = ["ask", "tables_made"]

COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64}

Adder = Callable[..., Awaitable[dict[str, Any]]]

database_url = tables_of("xget_account")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        home=tmp_path, database_url=Secret(database_url), port=0, internal_token="inner", account_daily_budget=50
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(clock: ManualClock) -> TokenMaker:
    return TokenMaker(clock)


@pytest.fixture
def app(settings: Settings, clock: ManualClock, tokens: TokenMaker) -> FastAPI:
    return create_app(settings, clock=clock, verifier=tokens.verifier(), unknown=nobody_else)


@pytest.fixture
async def client(app: FastAPI, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=tokens.make("ada", ["operator"])) as client:
        yield client


@pytest.fixture
async def pool(app: FastAPI, client: httpx.AsyncClient) -> AsyncIterator[Any]:
    channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner", deadline=60.0)
    yield channel.stub(AccountPoolStub)
    await channel.close()


@pytest.fixture
def add_account(client: httpx.AsyncClient) -> Adder:
    async def post(username: str, **fields: Any) -> dict[str, Any]:
        answer = await client.post("/api/v1/accounts", json={"username": username, "cookies": COOKIES} | fields)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json()
        return body

    return post
