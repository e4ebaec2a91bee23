"""Exits that a platform has shut out: others are taken there, and only there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from xget.proxy.v1 import proxy_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies"


async def take(pool: Any, account: str = "a1", **fields: Any) -> pb.AcquireResponse:
    wish = {"owner_id": "ada", "platform": "x", "account_id": account, **fields}
    chosen: pb.AcquireResponse = await pool.Acquire(pb.AcquireRequest(**wish))
    await pool.Release(pb.ReleaseRequest(lease_id=chosen.lease_id))
    return chosen


async def answer(pool: Any, lease: pb.AcquireResponse, *, refused: bool = False, platform: str = "x") -> None:
    request = pb.ReportRequest(
        proxy_id=lease.proxy_id,
        ok=True,
        latency_ms=100,
        error_text="It answered 403 (html)." if refused else "",
        lease_id=lease.lease_id,
        platform=platform,
        refused=refused,
    )
    await pool.Report(request)


async def read(client: httpx.AsyncClient, proxy_id: str, what: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get(f"{URL}/{proxy_id}/{what}")).json()["items"]
    return items


async def test_the_account_gets_another_exit_and_that_is_written_down(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient
) -> None:
    first, second = await add_proxy("10.0.0.1"), await add_proxy("10.0.0.2")
    lease = await take(pool)
    assert lease.proxy_id == first["id"]
    await answer(pool, lease, refused=True)
    assert (await take(pool)).proxy_id == (await take(pool, "a2")).proxy_id == second["id"]
    came = (await read(client, second["id"], "history"))[-1]
    assert (came["account_id"], came["from_proxy_id"]) == ("a1", first["id"])
    assert came["reason"] == "x has shut out the one before. It answered 403 (html)."
    assert (await read(client, second["id"], "platforms")) == []
    (thinks,) = await read(client, first["id"], "platforms")
    assert (thinks["platform"], thinks["success_rate"], thinks["refusals"]) == ("x", 0.7, 1)
    assert (await client.get(f"{URL}/{first['id']}/platforms", params={"page": 2})).json()["items"] == []


async def test_what_one_platform_refuses_works_for_others(pool: Any, add_proxy: Any, client: httpx.AsyncClient) -> None:
    first = await add_proxy("10.0.0.1")
    await add_proxy("10.0.0.2", status="INACTIVE")
    lease = await take(pool)
    await answer(pool, lease, refused=True)
    seen = (await client.get(f"{URL}/{first['id']}")).json()
    assert (seen["status"], seen["success_rate"], seen["latency"]) == ("ACTIVE", 1.0, 100)
    assert (await take(pool, "", platform="y")).proxy_id == first["id"]
    assert (await take(pool)).proxy_id == first["id"], "there is no other"


async def test_rests_grow_and_an_answer_ends_them(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    first, second = await add_proxy("10.0.0.1"), await add_proxy("10.0.0.2")
    for minutes in (15, 30, 60):
        lease = await take(pool, "", proxy_id=first["id"])
        await answer(pool, lease, refused=True)
        clock.advance(minutes * 60 - 1)
        assert (await take(pool, "")).proxy_id == second["id"]
        clock.advance(2)
        await answer(pool, lease, platform="")
    assert (await take(pool, "")).proxy_id == second["id"], "what was refused thrice is worth less"
    for _ in range(9):
        await answer(pool, lease)
    assert (await take(pool, "")).proxy_id == first["id"], "equal again, and not used for longest"


async def test_a_new_place_and_a_person_who_switches_it_on_end_a_rest(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient
) -> None:
    proxy = await add_proxy("10.0.0.1")
    for change in ({"status": "ACTIVE"}, {"ip": "10.0.0.9"}):
        await answer(pool, await take(pool), refused=True)
        assert await read(client, proxy["id"], "platforms")
        assert (await client.put(f"{URL}/{proxy['id']}", json=change)).status_code == 200
        assert await read(client, proxy["id"], "platforms") == []


async def test_a_gateway_with_sessions_gives_another_exit_itself(
    pool: Any, add_proxy: Any, client: httpx.AsyncClient
) -> None:
    gateway = await add_proxy("10.0.0.1", username="u-session-{session}", password="secret", rotating=True)
    await add_proxy("10.0.0.2", status="INACTIVE")
    first, again, other = [await take(pool, account) for account in ("a1", "a1", "a2")]
    assert first.url == again.url != other.url
    assert urlsplit(first.url).username.startswith("u-session-")
    assert "%7B" not in first.url
    await answer(pool, first, refused=True)
    renewed = await take(pool)
    assert renewed.proxy_id == gateway["id"]
    assert renewed.url != first.url
    assert (await take(pool, "a2")).url == other.url
    newest = (await read(client, gateway["id"], "history"))[0]
    assert (newest["from_proxy_id"], newest["proxy_id"]) == (gateway["id"], gateway["id"])
    assert newest["reason"].startswith("x has shut its exit out: a new session of the gateway.")
    (thinks,) = await read(client, gateway["id"], "platforms")
    assert (thinks["refusals"], thinks["rests_until"]) == (1, None)
    assert (await take(pool, "")).url != (await take(pool, "")).url, "without an account each is a new one"


@pytest.mark.parametrize("what", ["platforms", "history"])
async def test_of_somebody_elses_proxy_nothing_is_told(
    client: httpx.AsyncClient, add_proxy: Any, tokens: TokenMaker, what: str
) -> None:
    proxy = await add_proxy()
    headers = {"Authorization": f"Bearer {tokens.make('bob', ['operator'])}"}
    assert (await client.get(f"{URL}/{proxy['id']}/{what}", headers=headers)).status_code == 404
