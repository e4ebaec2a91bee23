"""Leases: limits that hold, accounts that keep their proxy, and what is known of who used which."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2 as httpx
import pytest

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_rpc.client import RpcInvalid, RpcNotFound
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies"


async def take(pool: Any, **fields: Any) -> pb.AcquireResponse:
    chosen: pb.AcquireResponse = await pool.Acquire(pb.AcquireRequest(**{"owner_id": "ada", **fields}))
    return chosen


async def release(pool: Any, lease: pb.AcquireResponse) -> None:
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id))


async def failed(pool: Any, lease: pb.AcquireResponse) -> None:
    await pool.Report(pb.ReportRequest(proxy_id=lease.proxy_id, ok=False, error_text="cut", lease_id=lease.lease_id))


async def test_a_proxy_is_lent_as_often_at_once_as_it_may_be(pool: Any, add_proxy: Any, clock: ManualClock) -> None:
    proxy = await add_proxy(max_concurrency=2)
    asked = await asyncio.gather(*(take(pool) for _ in range(5)), return_exceptions=True)
    lent = [one for one in asked if isinstance(one, pb.AcquireResponse)]
    refused = [one for one in asked if isinstance(one, RpcNotFound)]
    assert (len(lent), len(refused)) == (2, 3)
    assert refused[0].metadata["any_exists"] == "true"
    assert "room at" in refused[0].detail
    await release(pool, lent[0])
    await release(pool, lent[0])
    assert (await take(pool, proxy_id=proxy["id"])).proxy_id == proxy["id"]
    with pytest.raises(RpcNotFound, match="lent 2 times already"):
        await take(pool, proxy_id=proxy["id"])
    clock.advance(121)
    await take(pool)


async def test_a_daily_budget_is_a_hard_stop_until_midnight(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient, clock: ManualClock, tokens: TokenMaker
) -> None:
    proxy = await add_proxy(daily_budget=3)
    await add_proxy("10.0.0.2", daily_budget=0)
    for _ in range(3):
        await release(pool, await take(pool))
    for wish in ({}, {"proxy_id": proxy["id"]}):
        with pytest.raises(RpcNotFound) as spent:
            await take(pool, **wish)
        assert spent.value.metadata["available-at"].endswith("T00:00:00Z")
    assert (await client.get(f"{URL}/{proxy['id']}")).json()["used_today"] == 3
    assert (await client.get(f"{URL}/available")).json()["total"] == 0
    clock.advance(86_400)
    client.headers["Authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
    assert (await client.get(f"{URL}/{proxy['id']}")).json()["used_today"] == 0
    assert (await take(pool)).proxy_id == proxy["id"]


@pytest.mark.parametrize(
    "limits", [{"daily_budget": -1}, {"max_concurrency": 0}, {"daily_budget": "many"}, {"max_concurrency": 10**9}]
)
async def test_limits_below_zero_are_refused(client: httpx.AsyncClient, limits: dict[str, Any]) -> None:
    answer = await client.post(URL, json={"type": "http", "ip": "10.0.0.1", "port": 80} | limits)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(limits)))
    assert "application/problem+json" in answer.headers["content-type"]


async def test_load_is_spread(pool: Any, add_proxy: Any) -> None:
    one, two = await add_proxy("10.0.0.1"), await add_proxy("10.0.0.2")
    lent = [(await take(pool)).proxy_id for _ in range(6)]
    assert lent.count(one["id"]) == lent.count(two["id"]) == 3


async def test_an_account_keeps_its_proxy_and_each_change_is_written_down(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    first, german, french = [
        await add_proxy(f"10.0.0.{n}", country=country) for n, country in enumerate(("DE", "DE", "FR"))
    ]
    await pool.Report(pb.ReportRequest(proxy_id=first["id"], ok=True, latency_ms=10))
    await pool.Report(pb.ReportRequest(proxy_id=french["id"], ok=True, latency_ms=20))
    for _ in range(3):
        lease = await take(pool, account_id="a1", operation="Search", holder="run-1")
        assert lease.proxy_id == first["id"]
        clock.advance(1)
    await failed(pool, lease)
    clock.advance(1)
    moved = await take(pool, account_id="a1", avoid=[first["id"]], operation="Search")
    assert moved.proxy_id == german["id"], "the follower is sought in the same country first"
    assert (await take(pool, account_id="a1")).proxy_id == german["id"]
    clock.advance(1)
    assert (await take(pool, account_id="a1", country="FR")).proxy_id == french["id"]
    history = (await client.get(f"{URL}/{german['id']}/history")).json()["items"]
    assert [(h["account_id"], h["from_proxy_id"], h["proxy_id"]) for h in history] == [
        ("a1", german["id"], french["id"]),
        ("a1", first["id"], german["id"]),
    ]
    assert "FR" in history[0]["reason"]
    assert "broke off within a page" in history[1]["reason"]
    audit = (await client.get(f"{URL}/{first['id']}/leases")).json()
    assert audit["total"] == 3
    newest = audit["items"][0]
    assert (newest["account_id"], newest["holder"], newest["operation"]) == ("a1", "run-1", "Search")
    assert newest["failed"] is True
    assert "10.0.0" not in str(audit)


async def test_the_only_proxy_is_lent_although_it_is_to_be_avoided(pool: Any, add_proxy: Any) -> None:
    only = await add_proxy()
    assert (await take(pool, account_id="a1", avoid=[only["id"]])).proxy_id == only["id"]


async def test_a_removed_proxy_sets_its_accounts_free(pool: Any, add_proxy: Any, client: httpx.AsyncClient) -> None:
    gone = await add_proxy()
    await take(pool, account_id="a1")
    assert (await client.delete(f"{URL}/{gone['id']}")).status_code == 204
    other = await add_proxy("10.0.0.2")
    assert (await take(pool, account_id="a1")).proxy_id == other["id"]
    assert (await client.get(f"{URL}/{gone['id']}/leases")).status_code == 404


async def test_words_that_are_too_long_are_refused(pool: Any, add_proxy: Any) -> None:
    await add_proxy()
    with pytest.raises(RpcInvalid, match="holder"):
        await take(pool, holder="h" * 65)
    await pool.Release(pb.ReleaseRequest(lease_id="unknown"))


@pytest.mark.parametrize("field", ["owner_id", "proxy_id", "account_id", "operation", "holder", "platform", "avoid"])
async def test_who_asks_with_nonsense_harms_nobody_who_asks_with_him(pool: Any, add_proxy: Any, field: str) -> None:
    proxy = await add_proxy()
    wrong = take(pool, **{field: ["a\0b"] if field == "avoid" else "a\0b"})
    refused, chosen = await asyncio.gather(wrong, take(pool, account_id="a1"), return_exceptions=True)
    assert isinstance(refused, RpcInvalid)
    assert str(refused) == f"{field} must not contain a NUL character."
    assert chosen.proxy_id == proxy["id"]
    with pytest.raises(RpcInvalid, match="ttl_seconds"):
        await take(pool, ttl_seconds=-1)


async def test_who_reports_nonsense_harms_nobody_who_reports_with_him(pool: Any, add_proxy: Any) -> None:
    proxy = await add_proxy()
    lease = (await take(pool)).lease_id
    told = [
        pb.ReportRequest(proxy_id=proxy["id"], ok=True, lease_id=lease, error_text="a\0b"),
        pb.ReportRequest(proxy_id="a\0b", ok=True),
        pb.ReportRequest(proxy_id=proxy["id"], ok=True, lease_id="a\0b"),
        pb.ReportRequest(proxy_id=proxy["id"], ok=True, platform="a\0b"),
    ]
    answers = await asyncio.gather(*map(pool.Report, told), return_exceptions=True)
    assert [type(one) for one in answers] == [pb.ReportResponse, RpcInvalid, RpcInvalid, RpcInvalid]
    leases = [pb.ReleaseRequest(lease_id=one) for one in (lease, "a\0b")]
    gone = await asyncio.gather(*map(pool.Release, leases), return_exceptions=True)
    assert [type(one) for one in gone] == [pb.ReleaseResponse, RpcInvalid]
