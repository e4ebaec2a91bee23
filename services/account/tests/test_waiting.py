"""Waiting for an account: answered the moment there is room, in the order of importance, without polling."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget.account.v1 import account_pool_pb2 as pb
from xget_account.errors import NoAccountNow
from xget_account.repository import Wish
from xget_account.service.waiting import WaitingRoom
from xget_kernel.clock import ManualClock
from xget_rpc.client import RpcInvalid, RpcPreconditionFailed, RpcTooMany

URL = "/api/v1/accounts"


def wish(holder: str = "run-1", **fields: Any) -> pb.AcquireRequest:
    base = {"owner_id": "ada", "platform": "x", "operation": "Search", "holder": holder, "wait_seconds": 20}
    return pb.AcquireRequest(**{**base, **fields})


def answer(lease: pb.Lease, status: int = 200, **fields: Any) -> pb.ReportRequest:
    base = {"operation": "Search", "status": status, "body_kind": "json", "limit": -1, "remaining": -1}
    return pb.ReportRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token, **{**base, **fields})


async def back(pool: Any, lease: pb.Lease) -> None:
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))


async def take(pool: Any, holder: str = "run-1", **fields: Any) -> pb.Lease:
    return (await pool.Acquire(wish(holder, **fields), timeout=60)).lease


async def waiting(app: FastAPI, number: int) -> None:
    """Until so many wait."""
    async with asyncio.timeout(20):
        while app.state.pool.waiting != number:  # noqa: ASYNC110 - nothing tells when somebody begins to wait
            await asyncio.sleep(0.01)


class Line:
    """Takers that wait, and the order in which they were served."""

    def __init__(self, pool: Any, app: FastAPI) -> None:
        self._pool = pool
        self._app = app
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def join(self, holder: str, **fields: Any) -> None:
        """Wait behind those who joined before."""
        self.tasks[holder] = asyncio.create_task(self._take(holder, fields))
        await waiting(self._app, len(self.tasks))

    async def _take(self, holder: str, fields: dict[str, Any]) -> None:
        lease = await take(self._pool, holder, **fields)
        self.served.append(holder)
        await back(self._pool, lease)

    async def all_served(self) -> list[str]:
        """The order in the end."""
        await asyncio.wait_for(asyncio.gather(*self.tasks.values()), 50)
        return self.served


async def test_who_has_gone_when_his_lease_is_there_has_used_nothing(
    pool: Any, app: FastAPI, add_account: Any, client: httpx.AsyncClient
) -> None:
    account = await add_account("neo", daily_budget=2)
    lease = await take(pool, "first")
    told = answer(lease, limit=2, remaining=1, release=True)
    told.reset_at.FromDatetime(lease.expires_at.ToDatetime() + timedelta(minutes=5))
    await pool.Report(told)
    hasty = Wish(owner_id="ada", platform="x", operation="Search", holder="hasty")
    asking = asyncio.create_task(app.state.pool.acquire(hasty, 60))
    for _ in range(3):  # the database has been asked, and has not answered yet
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await take(pool, "last")).account_id == account["id"], "the last request of its day and of its window"
    uses = (await client.get(f"{URL}/{account['id']}/leases")).json()["items"]
    assert {use["holder"]: use["times"] for use in uses} == {"first": 1, "hasty": 1, "last": 1}


async def test_who_waits_is_answered_when_the_lease_is_given_back(pool: Any, app: FastAPI, add_account: Any) -> None:
    await add_account("neo")
    lease = await take(pool)
    line = Line(pool, app)
    await line.join("second")
    assert line.served == []
    await back(pool, lease)
    assert await line.all_served() == ["second"]


async def test_a_report_that_gives_back_answers_who_waits_and_an_old_one_ends_nothing(
    pool: Any, app: FastAPI, add_account: Any
) -> None:
    await add_account("neo")
    lease = await take(pool)
    line = Line(pool, app)
    await line.join("second")
    said = await pool.Report(answer(lease, release=True))
    assert said.action == "go_on"
    assert await line.all_served() == ["second"]
    held = await take(pool, "third")
    with pytest.raises(RpcPreconditionFailed):
        await pool.Report(answer(lease, release=True))
    with pytest.raises(RpcTooMany):
        await take(pool, "fifth", wait_seconds=0)
    await pool.Report(answer(held, 429, release=True))
    with pytest.raises(RpcTooMany) as resting:
        await take(pool, "sixth", wait_seconds=0)
    assert resting.value.metadata["waits-for"] == "rest"


async def test_a_report_that_gives_back_counts_once_however_often_it_is_sent(
    pool: Any, client: httpx.AsyncClient, add_account: Any
) -> None:
    account = await add_account("neo")
    last = answer(await take(pool), limit=50, remaining=40, release=True)
    said = [await pool.Report(last), *await asyncio.gather(pool.Report(last), pool.Report(last))]
    assert {one.action for one in said} == {"go_on"}
    seen = (await client.get(f"{URL}/{account['id']}")).json()
    assert seen["used_today"] == 1
    both = answer(await take(pool), limit=50, remaining=39, release=True)
    await asyncio.gather(pool.Report(both), pool.Report(both))
    left = await pool.Budget(pb.BudgetRequest(owner_id="ada", platform="x", operation="Search"))
    assert (left.remaining, (await client.get(f"{URL}/{account['id']}")).json()["used_today"]) == (39, 2)


async def test_immediate_goes_first_then_priority_then_who_was_served_least_then_age(
    pool: Any, app: FastAPI, add_account: Any
) -> None:
    await add_account("neo")
    lease = await take(pool, requester_id="eve", task_id="t0")
    line = Line(pool, app)
    await line.join("greedy-1", requester_id="eve", task_id="t0")
    await line.join("greedy-2", requester_id="eve", task_id="t1")
    await line.join("modest-1", requester_id="bob", task_id="t2")
    await line.join("modest-2", requester_id="bob", task_id="t2")
    await line.join("last", priority=10, requester_id="zoe")
    await line.join("first", priority=1)
    await line.join("now", immediate=True, priority=9)
    await back(pool, lease)
    assert await line.all_served() == [
        "now", "first", "modest-1", "greedy-2", "modest-2", "greedy-1", "last"
    ]  # fmt: skip


async def test_a_window_that_ends_and_a_rest_that_ends_answer_at_that_moment(
    pool: Any, app: FastAPI, add_account: Any, clock: ManualClock
) -> None:
    await add_account("neo")
    lease = await take(pool)
    reset = clock.now() + timedelta(seconds=72)
    await pool.Report(answer(lease, limit=50, remaining=0, reset_at=reset))
    await back(pool, lease)
    clock.advance(60)
    line = Line(pool, app)
    await line.join("waits")
    clock.advance(11)
    await asyncio.sleep(0.1)
    assert line.served == []
    clock.advance(1)
    assert await line.all_served() == ["waits"]


@pytest.mark.parametrize("way", ["import", "create", "mend", "switch_on"])
async def test_an_account_that_comes_or_is_mended_answers_who_waits(
    pool: Any, app: FastAPI, add_account: Any, client: httpx.AsyncClient, way: str
) -> None:
    await add_account("busy")
    other = await add_account("other", active=way != "switch_on")
    if way != "switch_on":
        broken = await take(pool, account_id=other["id"])
        await pool.Report(answer(broken, 401, error_codes=[32]))
        await back(pool, broken)
    await take(pool, "holds")
    line = Line(pool, app)
    await line.join("waits")
    assert line.served == []
    cookies = {"auth_token": "n", "ct0": "n"}
    if way == "import":
        await client.post(f"{URL}/import", json={"text": "auth_token=new; ct0=new", "username": "trinity"})
    elif way == "create":
        await add_account("trinity")
    elif way == "mend":
        assert (await client.put(f"{URL}/{other['id']}", json={"cookies": cookies})).status_code == 200
    else:
        assert (await client.put(f"{URL}/{other['id']}", json={"active": True})).status_code == 200
    assert await line.all_served() == ["waits"]


async def test_who_went_away_takes_nothing(
    pool: Any, app: FastAPI, add_account: Any, client: httpx.AsyncClient
) -> None:
    account = await add_account("neo")
    lease = await take(pool)
    line = Line(pool, app)
    await line.join("gone", immediate=True)
    await line.join("stays")
    line.tasks.pop("gone").cancel()
    await waiting(app, 1)
    await back(pool, lease)
    assert await line.all_served() == ["stays"]
    assert (await client.get(f"{URL}/{account['id']}")).json()["used_today"] == 2


async def test_a_wait_ends_with_the_newest_refusal_and_before_the_calls_deadline(
    pool: Any, app: FastAPI, add_account: Any, clock: ManualClock
) -> None:
    await add_account("neo")
    await take(pool, ttl_seconds=300)
    waits = asyncio.create_task(take(pool, "waits", wait_seconds=5))
    await waiting(app, 1)
    clock.advance(5)
    with pytest.raises(RpcTooMany) as refused:
        await waits
    told = refused.value.metadata
    assert (told["waits-for"], told["accounts"], told["then"]) == ("lease", "1", "1")
    with pytest.raises(RpcInvalid, match="wait_seconds"):
        await pool.Acquire(wish(wait_seconds=31))
    with pytest.raises(RpcInvalid, match="priority"):
        await pool.Acquire(wish(priority=11))


async def test_a_sticky_account_is_waited_for_only_while_no_other_has_room(
    pool: Any, app: FastAPI, add_account: Any
) -> None:
    first, second = (await add_account("a"))["id"], (await add_account("b"))["id"]
    mine = await take(pool, account_id=first)
    other = await take(pool, "other", sticky_account_id=first)
    assert other.account_id == second
    line = Line(pool, app)
    await line.join("waits", sticky_account_id=first)
    await back(pool, mine)
    await line.all_served()
    again = await take(pool, "third", sticky_account_id=first)
    assert again.account_id == first
    await back(pool, other)


async def test_who_comes_back_is_told_again_without_another_look_until_something_happens() -> None:
    clock, looks = ManualClock(), []

    async def serve(asks: Any) -> list[Any]:
        looks.append(len(asks))
        return [NoAccountNow(clock.now() + timedelta(minutes=30), 1, 1, "window", retry_after=1800) for _ in asks]

    room = WaitingRoom(serve, clock, lambda _: None)
    some = Wish(owner_id="ada", platform="x", operation="S", holder="back")
    stays = asyncio.create_task(room.wait((replace(some, holder="stays"), 60), 3000, None, 0))

    async def turns() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    await turns()

    async def comes_back() -> None:
        again = asyncio.create_task(room.wait((some, 60), 5, None, room.rings))
        await turns()
        clock.advance(5)
        with pytest.raises(NoAccountNow):
            await asyncio.wait_for(again, 5)

    for _ in range(5):
        await comes_back()
    assert looks == [1, 2]
    room.ring(some.pool)
    await turns()
    await comes_back()
    assert looks == [1, 2, 1, 2], "rung: those who wait, then who comes"
    await comes_back()
    clock.advance(120)
    await comes_back()
    await comes_back()
    assert looks == [1, 2, 1, 2, 2], "and again after a while"
    stays.cancel()
    await asyncio.gather(stays, return_exceptions=True)
    await room.close()
