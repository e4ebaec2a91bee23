"""Accounts with tokens of one developer app share its window and its project's month."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_account.repository import PoolTables, Wish
from xget_account.repository.apps import AppRepository
from xget_account.service import LeaseService
from xget_account.service.app_pool import AppPool, apps_on
from xget_account.service.playbook import Answer
from xget_kernel.clock import ManualClock
from xget_kernel.errors import TooMany, Unavailable
from xget_sandbox.api_v2.limits import ApiLimits
from xget_sandbox.limits import Limits, SandboxClock
from xget_testing.tokens import TokenMaker

ACCOUNTS = "/api/v1/accounts"
OPERATION = "tweetsIdRetweetingUsers"
WINDOW = 4
"""X's 75 at the scale of `Platform`."""


class Platform:
    """X's window of an app and of a user, on the clock of the test."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        ticking = SandboxClock()
        ticking.now = lambda: clock.now().timestamp()  # type: ignore[method-assign] # the test's time is X's
        self.windows = ApiLimits(Limits(ticking, 0.05))
        self.asked: Counter[int] = Counter()

    def ask(self, lease: pb.Lease) -> dict[str, Any]:
        user = lease.api.refresh_token
        scope, holder = ("user", user) if user else ("app", lease.api.bearer_token.partition("~")[0])
        room, told = self.windows.take(scope, holder, OPERATION)  # type: ignore[arg-type] # one of the two
        self.asked[200 if room else 429] += 1
        return {
            "status": 200 if room else 429,
            "body_kind": "json" if room else "problem",
            "limit": int(told["x-rate-limit-limit"]),
            "remaining": int(told["x-rate-limit-remaining"]),
            "reset": int(told["x-rate-limit-reset"]),
        }


async def account(client: httpx.AsyncClient, name: str, **tokens: Any) -> str:
    made = (await client.post(ACCOUNTS, json={"username": name, "platform": "x_api"})).json()
    put = await client.put(f"{ACCOUNTS}/{made['id']}/api", json={"monthly_budget_usd": "100", **tokens})
    assert put.status_code == 200, put.text
    return str(made["id"])


def wish(holder: str, **more: Any) -> pb.AcquireRequest:
    return pb.AcquireRequest(
        owner_id="ada", platform="x_api", operation=OPERATION, holder=holder, units=10, unit_kind="users", **more
    )


def report(lease: pb.Lease, answer: dict[str, Any], units: int = 10) -> pb.ReportRequest:
    told = {name: value for name, value in answer.items() if name != "reset"}
    made = pb.ReportRequest(
        lease_id=lease.lease_id, fencing_token=lease.fencing_token, operation=OPERATION, units=units, release=True,
        **told,
    )  # fmt: skip
    if "reset" in answer:
        made.reset_at.FromSeconds(answer["reset"])
    return made


async def read(pool: Any, x: Platform, holder: str) -> bool:
    """One request; False when there is no account for it now."""
    try:
        lease = (await pool.Acquire(wish(holder))).lease
    except TooMany:
        return False
    answer = x.ask(lease)
    await asyncio.sleep(0)
    await pool.Report(report(lease, answer))
    return True


@pytest.mark.parametrize(
    "given",
    [
        [{"bearer_token": "news"}, {"bearer_token": "news"}],
        [{"bearer_token": f"news~{n}", "app": "news"} for n in range(3)],
    ],
)
async def test_accounts_of_one_app_never_ask_more_than_its_window_together(
    client: httpx.AsyncClient, pool: AccountPoolStub, clock: ManualClock, given: list[dict[str, str]]
) -> None:
    x = Platform(clock)
    for number, each in enumerate(given):
        await account(client, f"app{number}", **each)

    async def everybody() -> None:
        await asyncio.gather(*(read(pool, x, f"run{n}") for n in range(len(given))))
        clock.advance(1)

    for window in (1, 2):
        async with asyncio.timeout(30):
            while x.asked[200] < window * WINDOW:
                await everybody()
                await asyncio.sleep(0.05)  # who was refused looks again once the database has rung
        for _ in range(6):
            await everybody()
        clock.advance(900)
    assert x.asked == {200: 2 * WINDOW}  # all of two windows, and nothing beyond


async def test_users_of_an_app_have_windows_of_their_own(
    client: httpx.AsyncClient, pool: AccountPoolStub, clock: ManualClock
) -> None:
    x = Platform(clock)
    for name in ("anna", "bert"):
        await account(client, name, refresh_token=name, client_id="news")
    while await read(pool, x, "run"):
        pass
    assert x.asked == {200: 2 * WINDOW}


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "problem:usage-capped"), (402, "problem:credits"), (402, "problem"), (402, "empty")]
)
async def test_a_spent_month_rests_all_accounts_of_the_app_and_no_others(
    client: httpx.AsyncClient, pool: AccountPoolStub, clock: ManualClock, status: int, kind: str
) -> None:
    ids = {
        "first": await account(client, "first", bearer_token="a", app="news"),
        "user": await account(client, "user", refresh_token="r", client_id="c", app="news"),
        "other": await account(client, "other", bearer_token="b"),
    }
    leases = {name: (await pool.Acquire(wish(name, account_id=number))).lease for name, number in ids.items()}
    for name in ("user", "other"):
        await pool.Report(report(leases[name], {"status": 200, "body_kind": "json", "limit": -1, "remaining": -1}))
    capped = {"status": status, "body_kind": kind, "limit": -1, "remaining": -1}
    await pool.Report(report(leases["first"], capped, units=0))
    items = (await client.get(f"{ACCOUNTS}/budget")).json()["items"]
    rests = {item["username"]: item["rest_until"] for item in items}
    assert rests["first"] == rests["user"] != rests["other"] is None
    assert (await pool.Acquire(wish("again"))).lease.username == "other"


async def test_an_app_is_named_and_told_how_many_share_it(client: httpx.AsyncClient, pool: AccountPoolStub) -> None:
    first = await account(client, "first", bearer_token="a", app="news")
    second = await account(client, "second", bearer_token="b")
    shown = (await client.get(f"{ACCOUNTS}/{second}/api")).json()
    assert (shown["app"], shown["shared_by"]) == ("", 1)
    await client.put(f"{ACCOUNTS}/{second}/api", json={"app": "news"})
    for number in (first, second):
        shown = (await client.get(f"{ACCOUNTS}/{number}/api")).json()
        assert (shown["app"], shown["shared_by"]) == ("news", 2)
    refused = await client.put(f"{ACCOUNTS}/{second}/api", json={"app": "two words"})
    assert refused.status_code == 422


async def test_money_of_a_lost_lease_stays_counted_and_is_told_apart_until_the_month_ends(
    client: httpx.AsyncClient, pool: AccountPoolStub, clock: ManualClock, tokens: TokenMaker
) -> None:
    await account(client, "app", bearer_token="a")

    async def money() -> dict[str, float]:
        found = (await client.get(f"{ACCOUNTS}/budget")).json()["money"]
        return {name: float(found[name]) for name in ("spent", "held", "uncertain")}

    lost = (await pool.Acquire(wish("dies", ttl_seconds=5))).lease
    assert await money() == {"spent": 0, "held": 0.1, "uncertain": 0}
    clock.advance(6)
    assert await money() == {"spent": 0.1, "held": 0, "uncertain": 0.1}
    lease = (await pool.Acquire(wish("another"))).lease
    assert await money() == {"spent": 0.1, "held": 0.1, "uncertain": 0.1}
    good = {"status": 200, "body_kind": "json", "limit": -1, "remaining": -1}
    with pytest.raises(Exception, match="lease"):
        await pool.Report(report(lost, good))
    await pool.Report(report(lease, good, units=4))
    assert await money() == {"spent": 0.14, "held": 0, "uncertain": 0.1}
    unread = (await pool.Acquire(wish("third"))).lease
    await pool.Report(report(unread, {"status": 0, "body_kind": "empty", "limit": -1, "remaining": -1}, units=-1))
    assert await money() == {"spent": 0.24, "held": 0, "uncertain": 0.2}
    clock.advance(timedelta(days=32).total_seconds())
    client.headers["authorization"] = f"Bearer {tokens.make('ada', ['operator'])}"
    assert await money() == {"spent": 0, "held": 0, "uncertain": 0}


async def test_money_that_a_report_has_settled_is_not_uncertain_when_the_process_dies_right_behind_it(
    client: httpx.AsyncClient, pool: AccountPoolStub, app: FastAPI
) -> None:
    await account(client, "app", bearer_token="a")
    lease = (await pool.Acquire(wish("dies"))).lease
    read_nothing = Answer(operation=OPERATION, status=200, body_kind="json")
    # the report alone: what follows it is never done
    await LeaseService.report(
        app.state.pool, lease.lease_id, lease.fencing_token, read_nothing, units=0, release=True
    )  # fmt: skip
    assert (await pool.Acquire(wish("another"))).lease.fencing_token == 2
    money = (await client.get(f"{ACCOUNTS}/budget")).json()["money"]
    assert {name: float(money[name]) for name in ("spent", "held", "uncertain")} == {
        "spent": 0, "held": 0.1, "uncertain": 0
    }  # fmt: skip


READ = Wish(
    owner_id="ada", platform="x_api", operation=OPERATION, holder="run", units=10, unit_micros=10_000,
    request_micros=5_000,
)  # fmt: skip


async def spent(client: httpx.AsyncClient) -> list[tuple[Any, ...]]:
    items = (await client.get(f"{ACCOUNTS}/budget")).json()["items"]
    names = ("spent", "held", "uncertain", "requests", "results")
    return [(*(float(item["money"][name]) for name in names), item["lease_until"]) for item in items]


async def test_a_lease_that_its_app_has_no_room_for_costs_nothing(client: httpx.AsyncClient, app: FastAPI) -> None:
    for name in ("first", "second"):
        await account(client, name, bearer_token="a")
    await app.state.pool.acquire(READ, 60)
    with pytest.raises(TooMany):
        await app.state.pool.acquire(replace(READ, holder="another"), 60)
    first, second = await spent(client)
    assert first[:5] == (0.005, 0.1, 0, 1, 10)
    assert second == (0, 0, 0, 0, 0, None)
    days = [item["used_today"] for item in (await client.get(f"{ACCOUNTS}/budget")).json()["items"]]
    assert days == [1, 0], "nor a request of its day"


@pytest.mark.parametrize("times", [1, 2], ids=["when it is handed out", "when it is given back too"])
async def test_a_lease_that_could_not_be_handed_out_costs_nothing(
    client: httpx.AsyncClient, app: FastAPI, clock: ManualClock, times: int
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    await account(client, "app", bearer_token="a")
    built, faults = app.state.account, [Unavailable("Gone.")] * times

    @asynccontextmanager
    async def apps() -> AsyncIterator[AppRepository]:
        if faults:
            raise faults.pop()
        async with apps_on(built.database)() as opened:
            yield opened

    pool = AppPool(PoolTables(built.database), built.vault, clock, apps=apps, daily_budget=50)
    with pytest.raises(Unavailable):
        await pool.acquire(READ, 60)
    async with asyncio.timeout(60):
        while (await spent(client))[0][5] is not None:  # noqa: ASYNC110 - nothing tells when it was given back
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # what gave it back ends after its commit
    gc.collect()
    assert complaints == []
    (found,) = await spent(client)
    assert (found[3], found[5]) == (times - 1, None), "the account is free, at worst its money is held on"
    assert found == (0, 0, 0, 0, 0, None) or times > 1
    await pool.close()


@pytest.mark.parametrize("name", ["no\0name", "\x1b[31mred", "n" * 65, ""])
async def test_a_problem_whose_name_is_no_word_is_told_without_it(
    client: httpx.AsyncClient, pool: AccountPoolStub, name: str
) -> None:
    number = await account(client, "app", bearer_token="a")
    lease = (await pool.Acquire(wish("run"))).lease
    await pool.Report(report(lease, {"status": 403, "body_kind": f"problem:{name}"}))
    last = (await client.get(f"{ACCOUNTS}/{number}/status")).json()["last_report"]
    assert (last["status"], last["body_kind"]) == (403, "problem")
