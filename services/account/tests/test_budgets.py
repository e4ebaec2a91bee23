"""GET /accounts/budget: what is left by operation, by account, and in all; of one's own accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_testing.tokens import TokenMaker

URL = "/api/v1/accounts/budget"


async def lease_of(pool: Any, holder: str, **fields: Any) -> pb.Lease:
    wish = {"owner_id": "ada", "platform": "x", "operation": "Search", "holder": holder}
    return (await pool.Acquire(pb.AcquireRequest(**(wish | fields)))).lease


async def told(pool: Any, lease: pb.Lease, status: int = 200, **fields: Any) -> None:
    base = {"operation": "Search", "status": status, "body_kind": "json", "limit": -1, "remaining": -1}
    await pool.Report(pb.ReportRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token, **(base | fields)))
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))


async def test_nothing_is_left_out_and_lost_leases_stay_counted(
    pool: Any, add_account: Any, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    neo = await add_account("neo", daily_budget=10)
    await add_account("smith", active=False)
    reset = clock.now() + timedelta(minutes=10)
    await told(pool, await lease_of(pool, "a"), limit=50, remaining=40, reset_at=reset)
    lost = await lease_of(pool, "b")
    found = (await client.get(URL)).json()
    assert found["totals"] == {
        "accounts": 2, "healthy": 1, "with_room": 1, "daily_budget": 10, "used_today": 2, "budget_left": 8,
    }  # fmt: skip
    (search,) = found["operations"]
    assert (search["operation"], search["accounts"], search["known"]) == ("Search", 1, 1)
    assert (search["limit"], search["remaining"], search["without_room"]) == (50, 39, 0)
    mine = next(item for item in found["items"] if item["account_id"] == neo["id"])
    (window,) = mine["operations"]
    assert (window["remaining"], window["used_today"], window["reset_at"]) == (39, 2, reset.isoformat()[:-6] + "Z")
    assert mine["lease_until"] is not None
    await told(pool, lost, 429, limit=50, remaining=0, reset_at=reset)
    (search,) = (await client.get(URL)).json()["operations"]
    assert (search["remaining"], search["without_room"]) == (0, 1)
    assert search["next_room_at"] == reset.isoformat()[:-6] + "Z"
    window = (await client.get(URL)).json()["items"][0]["operations"][0]
    assert (window["failures"], window["errors"][0]["status"]) == (1, 429)
    clock.advance(601)
    (search,) = (await client.get(URL)).json()["operations"]
    assert (search["remaining"], search["without_room"], search["next_room_at"]) == (50, 0, None)


async def test_a_list_is_paged_and_narrowed_and_ones_own(
    pool: Any, add_account: Any, client: httpx.AsyncClient, tokens: TokenMaker
) -> None:
    for name in ("c", "a", "b"):
        await add_account(name)
    await told(pool, await lease_of(pool, "one"))
    await told(pool, await lease_of(pool, "two", operation="UserTweets"), operation="UserTweets")
    first = (await client.get(URL, params={"size": 2})).json()
    assert ([item["username"] for item in first["items"]], first["total"], first["pages"]) == (["a", "b"], 3, 2)
    only = (await client.get(URL, params={"operation": "UserTweets"})).json()
    assert [row["operation"] for row in only["operations"]] == ["UserTweets"]
    assert {row["operation"] for item in only["items"] for row in item["operations"]} == {"UserTweets"}
    assert (await client.get(URL, params={"platform": "nowhere"})).json()["total"] == 0
    for who, roles, seen in (("bob", ["operator"], 0), ("root", ["admin"], 3)):
        client.headers["Authorization"] = f"Bearer {tokens.make(who, roles)}"
        body = (await client.get(URL)).json()
        assert (body["total"], body["totals"]["accounts"]) == (seen, seen)


@pytest.mark.parametrize("params", [{"size": 101}, {"page": 0}, {"operation": "x" * 65}])
async def test_nonsense_is_refused(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    answer = await client.get(URL, params=params)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
