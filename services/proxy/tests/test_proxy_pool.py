"""The pool over gRPC: which proxy is chosen, and what reports do to it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_proxy.models import OUTBOX
from xget_rpc.client import RpcInvalid, RpcNotFound

URL = "/api/v1/proxies"


async def take(pool: Any, **fields: Any) -> pb.AcquireResponse:
    chosen: pb.AcquireResponse = await pool.Acquire(pb.AcquireRequest(**{"owner_id": "ada", **fields}))
    return chosen


async def report(pool: Any, proxy: Any, ok: bool, ms: int = 100) -> str:
    request = pb.ReportRequest(proxy_id=proxy["id"], ok=ok, latency_ms=ms, error_text="" if ok else "reset by peer")
    status: str = (await pool.Report(request)).status
    return status


async def test_the_url_carries_the_login(pool: Any, add_proxy: Any) -> None:
    proxy = await add_proxy("2001:db8::1", type="socks5", username="us@er", password="p:a/ss")
    chosen = await take(pool, proxy_id=proxy["id"])
    assert chosen.url == "socks5://us%40er:p%3Aa%2Fss@[2001:db8::1]:8080"


async def test_the_best_is_chosen_and_equals_take_turns(pool: Any, add_proxy: Any, clock: ManualClock) -> None:
    slow, fast, twin = [await add_proxy(f"10.0.0.{i}") for i in range(3)]
    for proxy, ms in ((slow, 5000), (fast, 100), (twin, 100)):
        await report(pool, proxy, True, ms)
    order = []
    for _ in range(4):
        order.append((await take(pool)).proxy_id)
        clock.advance(1)
    assert set(order[:2]) == {fast["id"], twin["id"]}
    assert order[:2] == order[2:]


async def test_a_country_narrows_the_choice(pool: Any, add_proxy: Any) -> None:
    await add_proxy("10.0.0.1")
    german = await add_proxy("10.0.0.2", country="DE")
    assert (await take(pool, country="de")).proxy_id == german["id"]
    with pytest.raises(RpcNotFound) as caught:
        await take(pool, country="FR")
    assert caught.value.metadata["any_exists"] == "false"


async def test_three_failures_pause_a_proxy_and_a_good_trial_brings_it_back(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient, clock: ManualClock, app: FastAPI
) -> None:
    proxy = await add_proxy()
    assert [await report(pool, proxy, False) for _ in range(3)] == ["ACTIVE", "ACTIVE", "INACTIVE"]
    read = (await client.get(f"{URL}/{proxy['id']}")).json()
    assert (read["status"], read["error_msg"]) == ("INACTIVE", "reset by peer")
    for fields in ({}, {"proxy_id": proxy["id"]}):
        with pytest.raises(RpcNotFound) as caught:
            await take(pool, **fields)
        assert caught.value.metadata["any_exists"] == "true"
        assert caught.value.metadata["available-at"][:10] == str((clock.now() + timedelta(minutes=1)).date())
    clock.advance(60)
    assert (await client.get(f"{URL}?status=CHECKING")).json()["total"] == 1
    assert (await take(pool)).proxy_id == proxy["id"]
    assert await report(pool, proxy, True) == "ACTIVE"
    async with app.state.proxy.database.read() as session:
        told = [json.loads(value) for value in await session.scalars(select(OUTBOX.c.value).order_by(OUTBOX.c.id))]
    assert [(fact["kind"], fact["reason"]) for fact in told] == [
        ("paused", "reset by peer"),
        ("healed", "It works again."),
    ]


async def test_a_trial_waits_while_a_proven_one_is_there(pool: Any, add_proxy: Any, clock: ManualClock) -> None:
    bad = await add_proxy("10.0.0.1")
    good = await add_proxy("10.0.0.2")
    for _ in range(3):
        await report(pool, bad, False)
    await report(pool, good, True, 9000)
    clock.advance(61)
    assert (await take(pool)).proxy_id == good["id"]


async def test_none_at_all_is_told_apart_from_all_resting(pool: Any, add_proxy: Any) -> None:
    with pytest.raises(RpcNotFound) as none:
        await take(pool)
    assert none.value.metadata["any_exists"] == "false"
    off = await add_proxy(status="INACTIVE")
    for fields in ({}, {"proxy_id": off["id"]}):
        with pytest.raises(RpcNotFound) as resting:
            await take(pool, **fields)
        assert resting.value.metadata["any_exists"] == "true"
    with pytest.raises(RpcNotFound) as foreign:
        await take(pool, owner_id="bob", proxy_id=off["id"])
    assert foreign.value.metadata["any_exists"] == "false"


async def test_describe_knows_only_the_owners_proxies(pool: Any, add_proxy: Any) -> None:
    proxy = await add_proxy()
    described = await pool.Describe(pb.DescribeRequest(owner_id="ada", proxy_id=proxy["id"]))
    assert described.status == "ACTIVE"
    with pytest.raises(RpcNotFound):
        await pool.Describe(pb.DescribeRequest(owner_id="bob", proxy_id=proxy["id"]))
    with pytest.raises(RpcNotFound):
        await pool.Report(pb.ReportRequest(proxy_id="gone", ok=True))
    with pytest.raises(RpcInvalid):
        await take(pool, owner_id="")
