"""Who borrows uses his own accounts, then lent ones, until that is revoked; waits, refusals and budgets know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_kernel.errors import NotFound, TooMany
from xget_testing.asking import Person

Adder = Callable[..., Awaitable[dict[str, Any]]]
GRANTS = "/api/v1/accounts/grants"
COOKIES = {"auth_token": "b" * 40, "ct0": "d" * 64}


@pytest.fixture
def lend(ask: Person) -> Person:
    """Ada lets bob use her accounts; the grant's id."""

    async def give(**only: Any) -> str:
        made = await ask("ada", "POST", GRANTS, json={"grantee_id": "bob", **only})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    return give


def wish(owner: str, holder: str, **more: Any) -> pb.AcquireRequest:
    asked = {"platform": "x", "operation": "SearchTimeline", "requester_id": owner} | more
    return pb.AcquireRequest(owner_id=owner, holder=holder, **asked)


async def somebody_waits(app: FastAPI) -> None:
    for _ in range(3000):
        if app.state.pool.waiting:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("Nobody waits.")


async def test_own_accounts_come_first_then_lent_ones_with_their_owner(
    pool: Any, add_account: Adder, ask: Person, lend: Person
) -> None:
    theirs = await add_account("grace")
    with pytest.raises(NotFound, match="no account"):
        await pool.Acquire(wish("bob", "run-1"))
    await lend()
    body = {"username": "mine", "cookies": COOKIES}
    mine = (await ask("bob", "POST", "/api/v1/accounts", json=body)).json()
    first = (await pool.Acquire(wish("bob", "run-1"))).lease
    second = (await pool.Acquire(wish("bob", "run-2"))).lease
    assert [(one.account_id, one.owner_id) for one in (first, second)] == [(mine["id"], "bob"), (theirs["id"], "ada")]
    with pytest.raises(TooMany) as full:
        await pool.Acquire(wish("bob", "run-3"))
    assert full.value.metadata["accounts"] == "2"


async def test_a_lent_account_is_found_by_its_name_whatever_its_case(
    add_account: Adder, ask: Person, lend: Person
) -> None:
    for name in ("grace", "Hedy"):
        await add_account(name)
    await lend()

    async def found(name: str, who: str = "bob") -> list[str]:
        answer = await ask(who, "GET", "/api/v1/accounts/lent", params={"name": name})
        return [one["username"] for one in answer.json()["items"]]

    assert await found("hEDY") == ["Hedy"]
    assert await found("hed") == []
    assert await found("hedy", who="eve") == []
    assert (await ask("bob", "GET", "/api/v1/accounts/lent", params={"name": ""})).status_code == 422


async def test_revoking_ends_use_at_the_next_acquire_while_a_lease_is_held(
    pool: Any, add_account: Adder, ask: Person, lend: Person
) -> None:
    account = await add_account("grace")
    grant = await lend()
    held = (await pool.Acquire(wish("bob", "run"))).lease
    assert (await ask("ada", "DELETE", f"{GRANTS}/{grant}")).status_code == 204
    answer = pb.ReportRequest(
        lease_id=held.lease_id, fencing_token=held.fencing_token, operation="SearchTimeline", status=200,
        has_data=True, limit=-1, remaining=-1,
    )  # fmt: skip
    assert (await pool.Report(answer)).verdict == "go_on"
    for more in ({}, {"sticky_account_id": account["id"]}, {"account_id": account["id"]}):
        with pytest.raises(NotFound):
            await pool.Acquire(wish("bob", "run", **more))
    await pool.Release(pb.ReleaseRequest(lease_id=held.lease_id, fencing_token=held.fencing_token))
    assert (await pool.Acquire(wish("ada", "hers"))).lease.account_id == account["id"]


async def test_one_lent_account_is_kept_and_named_and_no_other_is_given(
    pool: Any, add_account: Adder, lend: Person
) -> None:
    one, other = await add_account("grace"), await add_account("hedy")
    await lend(subject_id=one["id"])
    got = (await pool.Acquire(wish("bob", "run", account_id=one["id"]))).lease
    assert got.account_id == one["id"]
    assert (await pool.Acquire(wish("bob", "run", sticky_account_id=one["id"]))).lease.account_id == one["id"]
    with pytest.raises(NotFound, match="does not exist"):
        await pool.Acquire(wish("bob", "run-2", account_id=other["id"]))
    with pytest.raises(TooMany):
        await pool.Acquire(wish("bob", "run-2", sticky_account_id=other["id"]))
    assert (await pool.Describe(pb.DescribeRequest(owner_id="bob", account_id=one["id"]))).username == "grace"
    with pytest.raises(NotFound):
        await pool.Describe(pb.DescribeRequest(owner_id="bob", account_id=other["id"]))
    with pytest.raises(NotFound):
        await pool.Acquire(wish("eve", "run", account_id=one["id"]))


async def test_who_waits_is_woken_when_a_lent_account_is_free_and_when_he_is_granted_some(
    app: FastAPI, pool: Any, add_account: Adder, ask: Person, lend: Person
) -> None:
    await add_account("grace")
    await ask("bob", "POST", "/api/v1/accounts", json={"username": "mine", "cookies": COOKIES})
    await pool.Acquire(wish("bob", "long"))
    waiting = asyncio.ensure_future(pool.Acquire(wish("bob", "run", wait_seconds=20)))
    await somebody_waits(app)
    await lend()
    got = (await asyncio.wait_for(waiting, 60)).lease
    assert got.owner_id == "ada"
    again = asyncio.ensure_future(pool.Acquire(wish("bob", "run-2", wait_seconds=20)))
    await somebody_waits(app)
    await pool.Release(pb.ReleaseRequest(lease_id=got.lease_id, fencing_token=got.fencing_token))
    assert (await asyncio.wait_for(again, 60)).lease.account_id == got.account_id


async def test_budgets_count_what_is_lent_and_stay_the_accounts(
    pool: Any, add_account: Adder, ask: Person, lend: Person, clock: ManualClock
) -> None:
    await add_account("grace", daily_budget=2)
    left = pb.BudgetRequest(owner_id="bob", platform="x", operation="SearchTimeline")
    assert (await pool.Budget(left)).today == 0
    await lend(platform="x")
    assert (await pool.Budget(left)).today == 2
    for number in range(2):
        lease = (await pool.Acquire(wish("bob", f"run-{number}"))).lease
        await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))
    for who in ("ada", "bob"):
        with pytest.raises(TooMany) as spent:
            await pool.Acquire(wish(who, "more"))
        assert spent.value.metadata["waits-for"] == "budget"
    lent = (await ask("bob", "GET", "/api/v1/accounts/lent")).json()["items"][0]
    assert (lent["daily_budget"], lent["budget_left"]) == (2, 0)


async def test_a_grant_for_another_platform_or_one_that_has_ended_lends_nothing(
    pool: Any, add_account: Adder, lend: Person, clock: ManualClock
) -> None:
    await add_account("grace")
    await lend(platform="y")
    with pytest.raises(NotFound):
        await pool.Acquire(wish("bob", "run"))
    ends = (clock.now() + timedelta(seconds=60)).isoformat()
    await lend(platform="x", expires_at=ends)
    lease = (await pool.Acquire(wish("bob", "run"))).lease
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))
    clock.advance(61)
    with pytest.raises(NotFound):
        await pool.Acquire(wish("bob", "run"))
