"""The pool over gRPC: who gets which account, what answers do to it, what an old lease can still do."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_rpc.client import RpcInvalid, RpcNotFound, RpcPreconditionFailed, RpcTooMany
from xget_testing.database import query

URL = "/api/v1/accounts"
COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64}


def wish(holder: str = "run-1", **fields: Any) -> pb.AcquireRequest:
    base = {"owner_id": "ada", "platform": "x", "operation": "Search", "holder": holder}
    return pb.AcquireRequest(**{**base, **fields})


def answer(lease: pb.Lease, status: int = 200, **fields: Any) -> pb.ReportRequest:
    base = {"operation": "Search", "status": status, "body_kind": "json", "limit": -1, "remaining": -1}
    return pb.ReportRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token, **{**base, **fields})


async def take(pool: Any, holder: str = "run-1", **fields: Any) -> pb.Lease:
    return (await pool.Acquire(wish(holder, **fields))).lease


async def back(pool: Any, lease: pb.Lease) -> None:
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))


async def refusal(pool: Any, holder: str = "other", **fields: Any) -> RpcTooMany:
    with pytest.raises(RpcTooMany) as caught:
        await pool.Acquire(wish(holder, **fields))
    return caught.value


def when(error: RpcTooMany) -> datetime:
    return datetime.fromisoformat(error.metadata["available-at"])


async def test_a_lease_brings_what_a_request_needs(pool: Any, add_account: Any, clock: ManualClock) -> None:
    account = await add_account("neo", user_agent="Mozilla", headers={"x-a": "b"})
    lease = await take(pool)
    assert (lease.account_id, lease.username, lease.user_agent) == (account["id"], "neo", "Mozilla")
    assert (dict(lease.cookies), dict(lease.headers)) == (COOKIES, {"x-a": "b"})
    assert lease.expires_at.ToDatetime(clock.now().tzinfo) == clock.now() + timedelta(seconds=60)


async def test_of_many_who_ask_one_gets_the_account(pool: Any, add_account: Any, clock: ManualClock) -> None:
    await add_account("neo")
    results = await asyncio.gather(*(pool.Acquire(wish(f"run-{i}")) for i in range(20)), return_exceptions=True)
    assert sum(isinstance(r, pb.AcquireResponse) for r in results) == 1
    busy = [r for r in results if isinstance(r, RpcTooMany)]
    assert len(busy) == 19
    assert {when(error) for error in busy} == {clock.now() + timedelta(seconds=60)}
    assert busy[0].metadata["waits-for"] == "lease"


async def test_the_least_recently_used_goes_first_and_a_sticky_one_before_it(
    pool: Any, add_account: Any, clock: ManualClock
) -> None:
    ids = {(await add_account(name))["id"] for name in ("a", "b", "c")}
    order = []
    for _ in range(6):
        lease = await take(pool)
        order.append(lease.account_id)
        await back(pool, lease)
        clock.advance(1)
    assert set(order[:3]) == ids
    assert order[:3] == order[3:]
    sticky = await take(pool, sticky_account_id=order[-1])
    assert sticky.account_id == order[-1]
    other = await take(pool, "run-2", sticky_account_id=order[-1])
    assert other.account_id != order[-1]


async def test_a_dead_holders_lease_ends_and_its_late_words_count_no_more(
    pool: Any, add_account: Any, clock: ManualClock
) -> None:
    await add_account("neo")
    old = await take(pool, "dead", ttl_seconds=30)
    clock.advance(29)
    await refusal(pool, "alive")
    clock.advance(1)
    new = await take(pool, "alive")
    assert new.fencing_token > old.fencing_token
    with pytest.raises(RpcPreconditionFailed):
        await pool.Report(answer(old, 200, error_codes=[64]))
    with pytest.raises(RpcPreconditionFailed):
        await pool.Renew(pb.RenewRequest(lease_id=old.lease_id, fencing_token=old.fencing_token))
    await back(pool, old)
    await refusal(pool, "third")
    assert (await pool.Report(answer(new))).verdict == "go_on"


async def test_the_same_execution_takes_its_account_back_at_once(pool: Any, add_account: Any) -> None:
    await add_account("neo")
    await add_account("trinity")
    before = await take(pool, "run-1")
    after = await take(pool, "run-1")
    assert after.account_id == before.account_id
    assert after.fencing_token == before.fencing_token + 1


async def test_renewing_keeps_a_lease_and_releasing_twice_is_fine(
    pool: Any, add_account: Any, clock: ManualClock
) -> None:
    await add_account("neo")
    lease = await take(pool, ttl_seconds=10)
    clock.advance(8)
    await pool.Renew(pb.RenewRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token, ttl_seconds=10))
    clock.advance(8)
    await refusal(pool)
    await back(pool, lease)
    await back(pool, lease)
    with pytest.raises(RpcPreconditionFailed):
        await pool.Renew(pb.RenewRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))
    assert (await take(pool, "next")).account_id == lease.account_id


async def test_a_limit_rests_the_operation_until_its_reset(
    pool: Any, add_account: Any, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    account = await add_account("neo")
    reset = clock.now() + timedelta(minutes=7)
    lease = await take(pool)
    told = await pool.Report(answer(lease, 429, limit=50, remaining=0, reset_at=reset))
    assert told.verdict == "rest"
    await back(pool, lease)
    error = await refusal(pool)
    assert (when(error), error.metadata["accounts"], error.metadata["waits-for"]) == (reset, "1", "rest")
    assert error.retry_after == 420
    other = await take(pool, operation="UserTweets")
    await back(pool, other)
    status = (await client.get(f"{URL}/{account['id']}/status")).json()
    assert (status["state"], status["usable"]) == ("RESTING", True)
    assert "Search until" in status["sentence"]
    assert status["last_report"]["status"] == 429
    assert (await client.get(f"{URL}?status=RESTING")).json()["total"] == 1
    assert (await client.get(f"{URL}?status=NEW")).json()["total"] == 0
    clock.advance(420)
    assert (await take(pool)).account_id == account["id"]


async def test_a_judgement_names_the_rule_and_the_revision_of_its_playbook(
    pool: Any, add_account: Any, client: httpx.AsyncClient
) -> None:
    account = (await add_account("neo"))["id"]
    revision = (await client.get(f"{URL}/playbook")).json()["revision"]
    lease = await take(pool)
    await pool.Report(answer(lease, 200, has_data=True))
    await pool.Report(answer(lease, 403, error_codes=[326]))
    last = (await client.get(f"{URL}/{account}/status")).json()["last_report"]
    assert (last["rule"], last["playbook"]) == ("locked", revision)
    await client.post(f"{URL}/{account}/retire", json={})
    history = (await client.get(f"{URL}/{account}/history")).json()["items"]
    moves = [(one["to_state"], one["rule"], one["playbook"]) for one in history]
    assert moves[0] == ("RETIRED", None, None)
    assert moves[1:] == [("NEEDS_HUMAN", "locked", revision), ("ACTIVE", "data", revision)]


async def test_the_earliest_of_all_accounts_is_announced(pool: Any, add_account: Any, clock: ManualClock) -> None:
    for minutes in (9, 4):
        await add_account(f"n{minutes}")
        lease = await take(pool)
        await pool.Report(answer(lease, 429, reset_at=clock.now() + timedelta(minutes=minutes)))
        await back(pool, lease)
    error = await refusal(pool)
    assert when(error) == clock.now() + timedelta(minutes=4)
    assert error.metadata["accounts"] == "2"


@pytest.mark.parametrize(
    "told",
    [
        (403, [64], "quarantine", "SUSPENDED"),
        (403, [326], "quarantine", "NEEDS_HUMAN"),
        (401, [32], "relogin", "NEEDS_LOGIN"),
    ],
)
async def test_a_broken_account_is_set_aside_with_a_sentence(
    pool: Any, add_account: Any, client: httpx.AsyncClient, told: tuple[int, list[int], str, str]
) -> None:
    status, codes, verdict, state = told
    account = await add_account("neo")
    lease = await take(pool)
    assert (await pool.Report(answer(lease, status, error_codes=codes))).verdict == verdict
    await back(pool, lease)
    read = (await client.get(f"{URL}/{account['id']}")).json()
    assert read["status"] == state
    assert str(codes[0]) in read["error_msg"]
    with pytest.raises(RpcNotFound) as caught:
        await take(pool)
    assert caught.value.code == "no_usable_account"
    with pytest.raises(RpcNotFound, match="neo cannot be used"):
        await take(pool, account_id=account["id"])
    fresh = {"text": "auth_token=new; ct0=new", "username": "NEO", "update": True}
    again = await client.post(f"{URL}/import", json=fresh)
    assert again.json()["updated"] == 1
    healed = await take(pool)
    assert dict(healed.cookies) == {"auth_token": "new", "ct0": "new"}
    await pool.Report(answer(healed, remaining=9))
    assert (await client.get(f"{URL}/{account['id']}")).json()["status"] == "ACTIVE"


@pytest.mark.parametrize(("status", "codes"), [(401, [32]), (403, [353])])
async def test_an_answer_to_cookies_that_were_replaced_meanwhile_says_nothing_of_the_new_ones(
    pool: Any, add_account: Any, client: httpx.AsyncClient, status: int, codes: list[int]
) -> None:
    account = await add_account("neo")

    async def state() -> str:
        return str((await client.get(f"{URL}/{account['id']}")).json()["status"])

    old = await take(pool)
    await client.put(f"{URL}/{account['id']}", json={"cookies": {"auth_token": "new", "ct0": "new"}})
    assert (await pool.Report(answer(old, status, error_codes=codes, release=True))).verdict == "relogin"
    assert await state() == "NEW"
    fresh = await take(pool)
    assert dict(fresh.cookies) == {"auth_token": "new", "ct0": "new"}
    await pool.Report(answer(fresh, status, error_codes=codes))
    assert await state() == "NEEDS_LOGIN"


async def test_that_an_account_is_suspended_is_believed_whatever_its_cookies_were(
    pool: Any, add_account: Any, client: httpx.AsyncClient
) -> None:
    account = await add_account("neo")
    old = await take(pool)
    await client.put(f"{URL}/{account['id']}", json={"cookies": {"auth_token": "new", "ct0": "new"}})
    await pool.Report(answer(old, 403, error_codes=[64]))
    assert (await client.get(f"{URL}/{account['id']}")).json()["status"] == "SUSPENDED"


async def test_who_has_nothing_to_use_is_told_why(pool: Any, add_account: Any, client: httpx.AsyncClient) -> None:
    with pytest.raises(RpcNotFound, match="no account of x"):
        await take(pool)
    account = await add_account("neo", active=False)
    await add_account("smith", cookies=None, password="p")
    with pytest.raises(RpcNotFound, match="1 switched off, 1 without valid cookies"):
        await take(pool)
    with pytest.raises(RpcNotFound, match="switched off"):
        await take(pool, account_id=account["id"])
    with pytest.raises(RpcNotFound, match="does not exist"):
        await take(pool, account_id=account["id"], owner_id="bob")
    with pytest.raises(RpcNotFound):
        await pool.Describe(pb.DescribeRequest(owner_id="bob", account_id=account["id"]))
    described = await pool.Describe(pb.DescribeRequest(owner_id="ada", account_id=account["id"]))
    assert described.username == "neo"


async def test_the_daily_budget_is_a_hard_stop(pool: Any, add_account: Any, clock: ManualClock) -> None:
    await add_account("neo", daily_budget=3)
    midnight = (clock.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(2):
        await back(pool, await take(pool))  # counted although nothing was reported, as after a crash
    last = await take(pool)
    assert (await pool.Report(answer(last))).verdict == "go_on"
    over = await pool.Report(answer(last))
    assert (over.verdict, over.rest_until.ToDatetime(midnight.tzinfo)) == ("rest", midnight)
    await back(pool, last)
    assert when(await refusal(pool)) == midnight
    clock.advance((midnight - clock.now()).total_seconds())
    assert (await take(pool)).username == "neo"


async def test_an_account_whose_secrets_cannot_be_read_is_set_aside(
    pool: Any, add_account: Any, database_url: str, client: httpx.AsyncClient
) -> None:
    broken = await add_account("broken")
    await add_account("sound")
    foreign = "SELECT cookies FROM accounts WHERE username = 'sound'"
    query(database_url, f"UPDATE accounts SET cookies = ({foreign}) WHERE id = '{broken['id']}'")  # noqa: S608 - ids of ours
    assert [(await take(pool, f"run-{i}")).username for i in range(1)] == ["sound"]
    await refusal(pool)
    assert (await client.get(f"{URL}/{broken['id']}")).json()["status"] == "NEEDS_LOGIN"


@pytest.mark.parametrize("field", ["owner_id", "platform", "operation", "holder"])
async def test_a_wish_must_say_all(pool: Any, field: str) -> None:
    with pytest.raises(RpcInvalid, match=field):
        await pool.Acquire(wish(**{field: ""}))
    with pytest.raises(RpcInvalid, match="ttl_seconds"):
        await pool.Acquire(wish(ttl_seconds=601))


async def test_reports_of_nonsense_leases_are_refused(pool: Any, add_account: Any, client: httpx.AsyncClient) -> None:
    account = await add_account("neo")
    lease = await take(pool)
    await client.delete(f"{URL}/{account['id']}")
    for lease_id in (lease.lease_id, "", "x", f"{account['id']}.9", "é" * 300):
        with pytest.raises(RpcPreconditionFailed):
            await pool.Report(answer(pb.Lease(lease_id=lease_id, fencing_token=1)))
        await back(pool, pb.Lease(lease_id=lease_id, fencing_token=1))


@pytest.mark.parametrize("field", ["owner_id", "platform", "operation", "holder", "account_id", "requester_id"])
async def test_who_asks_with_nonsense_harms_nobody_who_asks_with_him(pool: Any, add_account: Any, field: str) -> None:
    await add_account("neo")
    asked = [pool.Acquire(wish(**{field: "a\0b"})), take(pool), pool.Acquire(wish("run-2", requester_id="b" * 65))]
    refused, lease, long = await asyncio.gather(*asked, return_exceptions=True)
    assert (type(refused), type(long)) == (RpcInvalid, RpcInvalid)
    assert str(refused) == f"{field} must not contain a NUL character."
    assert lease.username == "neo"


async def test_who_reports_nonsense_harms_nobody_who_reports_with_him(pool: Any, add_account: Any) -> None:
    await add_account("neo")
    lease = await take(pool)
    wrong = [
        answer(pb.Lease(lease_id=f"a\0.{2**40}", fencing_token=1)),
        answer(pb.Lease(lease_id=f"a.{2**40}", fencing_token=2**40)),
        answer(lease, operation="Sea\0rch"),
    ]
    told = await asyncio.gather(pool.Report(answer(lease)), *map(pool.Report, wrong), return_exceptions=True)
    assert [type(one) for one in told] == [pb.ReportResponse, RpcInvalid, RpcInvalid, RpcInvalid]
    far = pb.Lease(lease_id=f"a.{2**40}", fencing_token=2**40)
    gone = await asyncio.gather(back(pool, far), back(pool, lease), return_exceptions=True)
    assert type(gone[0]) is RpcInvalid
    assert (await take(pool, "run-2")).account_id == lease.account_id, "it was given back"


async def test_each_use_is_written_down_for_the_owner(
    pool: Any, add_account: Any, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    account = await add_account("neo")
    first = clock.now()
    for holder, requester in (("run-1", ""), ("run-1", ""), ("run-2", "bob")):
        lease = await take(pool, holder, requester_id=requester)
        await back(pool, lease)
        clock.advance(60)
    twice = await asyncio.gather(take(pool, "run-3"), take(pool, "run-3"))
    assert {lease.account_id for lease in twice} == {account["id"]}, "the holder's own one is given back to it"
    found = (await client.get(f"{URL}/{account['id']}/leases")).json()["items"]
    told = {row["holder"]: (row["requester_id"], row["times"], row["operation"]) for row in found}
    assert told == {"run-1": ("", 2, "Search"), "run-2": ("bob", 1, "Search"), "run-3": ("", 2, "Search")}
    last = next(row for row in found if row["holder"] == "run-1")
    assert datetime.fromisoformat(last["first_at"]) == first
    assert datetime.fromisoformat(last["last_at"]) == first + timedelta(seconds=60)
