"""XGET_KEYS lacks the key that rows need: it is said, nothing is lost, and the key's return mends all."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_account.app import create_app
from xget_account.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_rpc.client import RpcChannel, RpcNotFound
from xget_testing.apps import running
from xget_testing.tokens import TokenMaker

URL = "/api/v1/accounts"
COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64}

OLD, NEW = (f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("old", "new")))


@asynccontextmanager
async def started(settings: Settings, keys: str, clock: ManualClock, tokens: TokenMaker) -> AsyncIterator[Any]:
    """The service with these keys: its REST API and its pool."""
    app = create_app(settings.model_copy(update={"keys": Secret(keys)}), clock=clock, verifier=tokens.verifier())
    async with running(app, token=tokens.make("ada", ["operator"])) as client:
        channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner")
        yield client, channel.stub(AccountPoolStub)
        await channel.close()


async def lease(pool: Any) -> Any:
    return await pool.Acquire(
        pb.AcquireRequest(owner_id="ada", platform="x", operation="SearchTimeline", holder="run-1", ttl_seconds=60)
    )


async def only(client: httpx.AsyncClient) -> dict[str, Any]:
    (account,) = (await client.get(URL)).json()["items"]
    found: dict[str, Any] = account
    return found


async def test_accounts_wait_for_the_key_that_is_missing_and_work_again_with_it(
    settings: Settings, clock: ManualClock, tokens: TokenMaker
) -> None:
    async with started(settings, OLD, clock, tokens) as (client, pool):
        made = await client.post(URL, json={"username": "neo", "cookies": COOKIES})
        assert made.status_code == 201
    async with started(settings, NEW, clock, tokens) as (client, pool):
        with pytest.raises(RpcNotFound):
            await lease(pool)
        account = await only(client)
        assert account["status"] == "NEEDS_LOGIN"
        assert "give XGET_KEYS (or keys.json) its key back" in account["error_msg"]
    async with started(settings, f"{OLD},{NEW}", clock, tokens) as (client, pool):
        account = await only(client)
        assert (account["status"], account["error_msg"]) == ("ACTIVE", None)
        assert dict((await lease(pool)).lease.cookies) == COOKIES
