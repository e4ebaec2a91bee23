"""Owners let others use their proxies, and what anybody does with proxies is written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_kernel.errors import NotFound
from xget_testing.asking import Person

Adder = Callable[..., Awaitable[dict[str, Any]]]
GRANTS = "/api/v1/proxies/grants"
LENT = "/api/v1/proxies/lent"
TRAIL = "/api/v1/proxies/audit"


async def test_who_borrows_gets_his_own_first_then_what_is_lent_until_it_is_revoked(
    pool: Any, add_proxy: Adder, ask: Person
) -> None:
    lent = await add_proxy("10.0.0.1", max_concurrency=2)
    wish = pb.AcquireRequest(owner_id="bob", account_id="acc", holder="run")
    with pytest.raises(NotFound):
        await pool.Acquire(wish)
    grant = (await ask("ada", "POST", GRANTS, json={"grantee_id": "bob"})).json()
    got = await pool.Acquire(wish)
    assert got.proxy_id == lent["id"]
    mine = (await ask("bob", "POST", "/api/v1/proxies", json={"type": "http", "ip": "10.0.0.2", "port": 1})).json()
    assert (await pool.Acquire(pb.AcquireRequest(owner_id="bob"))).proxy_id == mine["id"]
    assert (await pool.Acquire(wish)).proxy_id == lent["id"], "an account keeps its proxy"
    assert (await ask("ada", "DELETE", f"{GRANTS}/{grant['id']}")).status_code == 204
    assert (await pool.Acquire(wish)).proxy_id == mine["id"]
    used = (await ask("ada", "GET", f"/api/v1/proxies/{lent['id']}/leases")).json()["items"]
    assert {(row["owner_id"], row["account_id"]) for row in used} == {("bob", "acc")}


async def test_one_proxy_is_lent_alone_by_its_id_and_tells_who_waits_until_when(
    pool: Any, add_proxy: Adder, ask: Person, clock: ManualClock
) -> None:
    one, other = await add_proxy("10.0.0.1", max_concurrency=1), await add_proxy("10.0.0.2")
    body = {"grantee_id": "bob", "subject_id": one["id"]}
    assert (await ask("ada", "POST", GRANTS, json=body)).status_code == 201
    assert (await pool.Acquire(pb.AcquireRequest(owner_id="ada", proxy_id=one["id"], ttl_seconds=60))).lease_id
    with pytest.raises(NotFound) as full:
        await pool.Acquire(pb.AcquireRequest(owner_id="bob"))
    assert full.value.metadata["any_exists"] == "true"
    assert full.value.metadata["available-at"].startswith(clock.now().strftime("%Y-%m-%dT%H:"))
    with pytest.raises(NotFound, match="does not exist"):
        await pool.Acquire(pb.AcquireRequest(owner_id="bob", proxy_id=other["id"]))
    clock.advance(61)
    assert (await pool.Acquire(pb.AcquireRequest(owner_id="bob"))).proxy_id == one["id"]
    assert (await pool.Describe(pb.DescribeRequest(owner_id="bob", proxy_id=one["id"]))).proxy_id == one["id"]
    with pytest.raises(NotFound):
        await pool.Describe(pb.DescribeRequest(owner_id="bob", proxy_id=other["id"]))


async def test_who_borrows_sees_and_changes_nothing(add_proxy: Adder, ask: Person) -> None:
    proxy = await add_proxy("10.0.0.1", username="u", password="planted-secret")
    await ask("ada", "POST", GRANTS, json={"grantee_id": "bob"})
    for method, body in (("GET", None), ("PUT", {"port": 9}), ("DELETE", None)):
        assert (await ask("bob", method, f"/api/v1/proxies/{proxy['id']}", json=body)).status_code == 404
    assert (await ask("bob", "GET", "/api/v1/proxies")).json()["items"] == []
    again = await ask("bob", "POST", GRANTS, json={"grantee_id": "eve", "subject_id": proxy["id"]})
    assert again.status_code == 404


async def test_who_borrows_is_told_what_is_lent_but_not_where_it_is(
    pool: Any, add_proxy: Adder, ask: Person, clock: ManualClock
) -> None:
    one = await add_proxy("10.0.0.1", username="u", password="planted-secret", country="DE", daily_budget=2)
    two = await add_proxy("10.0.0.2")
    ends = (clock.now() + timedelta(seconds=60)).isoformat()
    for body in ({"subject_id": one["id"], "platform": "x"}, {"platform": "x_api", "expires_at": ends}):
        assert (await ask("ada", "POST", GRANTS, json={"grantee_id": "bob"} | body)).status_code == 201
    got = await pool.Acquire(pb.AcquireRequest(owner_id="bob", platform="x"))
    assert got.proxy_id == one["id"]
    found = (await ask("bob", "GET", LENT)).json()
    assert found["items"][0] == {
        "proxy_id": one["id"], "owner_id": "ada", "platforms": ["x", "x_api"], "type": "http", "country": "DE",
        "state": "ACTIVE", "score": one["score"], "max_concurrency": None, "daily_budget": 2, "budget_left": 1,
    }  # fmt: skip
    assert [(row["proxy_id"], row["budget_left"]) for row in found["items"][1:]] == [(two["id"], None)]
    assert (await ask("bob", "GET", LENT, params={"size": 1, "page": 2})).json()["items"] == found["items"][1:]
    assert (await ask("ada", "GET", LENT)).json()["total"] == 0
    clock.advance(61)
    assert [(row["proxy_id"], row["platforms"]) for row in (await ask("bob", "GET", LENT)).json()["items"]] == [
        (one["id"], ["x"])
    ]


async def test_what_is_done_with_proxies_is_in_the_owners_trail_without_secrets(add_proxy: Adder, ask: Person) -> None:
    proxy = await add_proxy("10.0.0.1", username="u", password="planted-secret")
    path = f"/api/v1/proxies/{proxy['id']}"
    await ask("ada", "GET", path)
    await ask("ada", "PUT", path, json={"daily_budget": 5, "password": "planted-secret-2", "port": 81})
    await ask("ada", "POST", "/api/v1/proxies/import", json={"text": "10.0.0.9:8080"})
    await ask("ada", "DELETE", path)
    found = (await ask("ada", "GET", TRAIL, params={"subject": proxy["id"]})).json()["items"]
    assert [row["action"] for row in reversed(found)] == [
        "proxy.created", "proxy.viewed", "proxy.updated", "proxy.secrets_replaced", "proxy.deleted",
    ]  # fmt: skip
    assert found[2]["details"]["changed"] == {"daily_budget": [None, 5], "port": None}
    assert "planted-secret" not in str(found)
    imported = (await ask("ada", "GET", TRAIL, params={"action": "proxy.created"})).json()["items"][0]
    assert imported["details"] == {"type": "http", "by": "import"}
    assert (await ask("bob", "GET", TRAIL)).json()["items"] == []
