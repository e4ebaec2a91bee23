"""XGET_KEYS lacks the key that rows need: it is said, nothing is lost, and the key's return mends all."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget.proxy.v1.proxy_pool_pb2_grpc import ProxyPoolStub
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_proxy.app import create_app
from xget_proxy.settings import Settings
from xget_rpc.client import RpcChannel, RpcNotFound
from xget_testing.apps import running
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies"

OLD, NEW = (f"{name}:{base64.b64encode(bytes([n]) * 32).decode()}" for n, name in enumerate(("old", "new")))


@asynccontextmanager
async def started(settings: Settings, keys: str, clock: ManualClock, tokens: TokenMaker) -> AsyncIterator[Any]:
    """The service with these keys: its REST API and its pool."""
    app = create_app(settings.model_copy(update={"keys": Secret(keys)}), clock=clock, verifier=tokens.verifier())
    async with running(app, token=tokens.make("ada", ["operator"])) as client:
        channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner")
        yield client, channel.stub(ProxyPoolStub)
        await channel.close()


async def test_proxies_wait_for_the_key_that_is_missing_and_work_again_with_it(
    settings: Settings, clock: ManualClock, tokens: TokenMaker
) -> None:
    async with started(settings, OLD, clock, tokens) as (client, pool):
        body = {"ip": "10.0.0.1", "port": 8080, "type": "http", "username": "us", "password": "pass"}
        made = await client.post(URL, json=body)
        assert made.status_code == 201, made.text
        url = (await pool.Acquire(pb.AcquireRequest(owner_id="ada"))).url
    async with started(settings, NEW, clock, tokens) as (client, pool):
        with pytest.raises(RpcNotFound):
            await pool.Acquire(pb.AcquireRequest(owner_id="ada"))
        (proxy,) = (await client.get(URL)).json()["items"]
        assert proxy["status"] == "INACTIVE"
        assert "give XGET_KEYS (or keys.json) its key back" in proxy["error_msg"]
        ready = (await client.get("/readyz")).json()
        assert "Secrets that no key opens: 1 of proxies (keys old). `xget keys status`" in ready["degraded"][0]
    async with started(settings, f"{OLD},{NEW}", clock, tokens) as (client, pool):
        (proxy,) = (await client.get(URL)).json()["items"]
        assert (proxy["status"], proxy["error_msg"]) == ("ACTIVE", None)
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        assert (await pool.Acquire(pb.AcquireRequest(owner_id="ada"))).url == url


async def test_a_list_brings_the_passwords_whose_key_is_lost(
    settings: Settings, clock: ManualClock, tokens: TokenMaker
) -> None:
    given = {"text": "http://us:other@8.8.8.8:8080\nhttp://8.8.8.8:8081"}
    async with started(settings, OLD, clock, tokens) as (client, pool):
        await client.post(f"{URL}/import", json={"text": "http://us:pass@8.8.8.8:8080\nhttp://8.8.8.8:8081"})
        lines = (await client.post(f"{URL}/import", json=given)).json()["lines"]
        assert [line["reason"] for line in lines] == ["Is stored already: change it with PUT."] * 2
    async with started(settings, NEW, clock, tokens) as (client, pool):
        made = (await client.post(f"{URL}/import", json=given)).json()
        assert (made["duplicate"], "was taken from this line" in made["lines"][0]["reason"]) == (2, True)
        assert made["lines"][1]["reason"] == "Is stored already: change it with PUT."
        wish = pb.AcquireRequest(owner_id="ada", proxy_id=made["lines"][0]["proxy_id"])
        assert (await pool.Acquire(wish)).url == "http://us:other@8.8.8.8:8080"
        assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_a_list_leaves_a_proxy_off_that_a_person_switched_off(
    settings: Settings, clock: ManualClock, tokens: TokenMaker
) -> None:
    async with started(settings, OLD, clock, tokens) as (client, _):
        body = {"ip": "8.8.8.8", "port": 8080, "type": "http", "username": "us", "password": "pass"}
        path = f"{URL}/{(await client.post(URL, json=body)).json()['id']}"
        assert (await client.put(path, json={"status": "INACTIVE"})).status_code == 200
    async with started(settings, NEW, clock, tokens) as (client, _):
        made = (await client.post(f"{URL}/import", json={"text": "http://us:other@8.8.8.8:8080"})).json()
        assert "was taken from this line" in made["lines"][0]["reason"]
        assert (await client.get(path)).json()["status"] == "INACTIVE"
