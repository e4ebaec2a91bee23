"""Accounts of X's official API: tokens stay in, money is held before it is spent, and there is a hard stop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_kernel.clock import ManualClock
from xget_kernel.errors import NotFound, TooMany

ACCOUNTS = "/api/v1/accounts"
Pool = Any


@pytest.fixture
async def app_account(client: httpx.AsyncClient) -> str:
    """An app with a token that may spend 1 dollar a month: 200 posts."""
    made = (await client.post(ACCOUNTS, json={"username": "app", "platform": "x_api"})).json()
    assert made["status"] == "NEEDS_LOGIN"
    put = await client.put(
        f"{ACCOUNTS}/{made['id']}/api", json={"bearer_token": "secret-token", "monthly_budget_usd": "1"}
    )
    assert put.status_code == 200, put.text
    return str(made["id"])


def wish(**more: Any) -> pb.AcquireRequest:
    asked = {"owner_id": "ada", "platform": "x_api", "operation": "tweetsRecentSearch", "holder": "run",
             "units": 100, "unit_kind": "posts"}  # fmt: skip
    return pb.AcquireRequest(**{**asked, **more})


def told(lease: pb.Lease, **more: Any) -> pb.ReportRequest:
    said = {"operation": "tweetsRecentSearch", "status": 200, "body_kind": "json", "limit": -1, "remaining": -1}
    return pb.ReportRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token, **{**said, **more})


async def spent(client: httpx.AsyncClient, account_id: str) -> tuple[str, int]:
    body = (await client.get(f"{ACCOUNTS}/{account_id}/api")).json()
    return str(body["spent_usd"]), body["results"]


async def test_who_asks_the_official_api_needs_a_token_and_no_login(
    client: httpx.AsyncClient, app_account: str
) -> None:
    refused = await client.post(f"{ACCOUNTS}/{app_account}/login")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:xget:error:login_impossible")
    assert "give it a token" in refused.json()["detail"]


async def test_money_is_held_before_and_corrected_after(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str
) -> None:
    lease = (await pool.Acquire(wish())).lease
    assert (lease.api.bearer_token, dict(lease.cookies)) == ("secret-token", {})
    assert await spent(client, app_account) == ("0.5", 100)
    await pool.Report(told(lease, units=30))
    assert await spent(client, app_account) == ("0.15", 30)
    await pool.Report(told(lease, units=0))
    assert await spent(client, app_account) == ("0.15", 30), "a lease is settled once"
    await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))


async def test_who_dies_after_the_request_has_spent_what_was_held(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str, clock: ManualClock
) -> None:
    lost = (await pool.Acquire(wish(ttl_seconds=5))).lease
    clock.advance(6)
    lease = (await pool.Acquire(wish(holder="another", units=10))).lease
    with pytest.raises(Exception, match="lease"):
        await pool.Report(told(lost, units=1))
    await pool.Report(told(lease, units=10))
    assert await spent(client, app_account) == ("0.55", 110)


async def test_the_cap_is_a_hard_stop_until_next_month(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str, clock: ManualClock
) -> None:
    for _ in range(2):
        lease = (await pool.Acquire(wish())).lease
        await pool.Report(told(lease, units=100))
        await pool.Release(pb.ReleaseRequest(lease_id=lease.lease_id, fencing_token=lease.fencing_token))
    with pytest.raises(TooMany) as refused:
        await pool.Acquire(wish(units=1))
    metadata = dict(refused.value.metadata)  # type: ignore[attr-defined] # RpcError carries it
    assert metadata["waits-for"] == "money"
    then = datetime.fromisoformat(metadata["available-at"])
    assert (then.day, then.hour) == (1, 0)
    assert then > clock.now()
    assert "money is spent" in (await client.get(f"{ACCOUNTS}/{app_account}/api")).json()["sentence"]
    await client.put(f"{ACCOUNTS}/{app_account}/api", json={"monthly_budget_usd": "1.005"})
    assert (await pool.Acquire(wish(units=1))).lease.api.bearer_token == "secret-token"
    clock.advance((then - clock.now()).total_seconds() + 1)
    assert (await pool.Acquire(wish(holder="later"))).lease


async def test_nothing_is_spent_without_a_persons_word(client: httpx.AsyncClient, pool: AccountPoolStub) -> None:
    made = (await client.post(ACCOUNTS, json={"username": "app", "platform": "x_api"})).json()
    body = (await client.put(f"{ACCOUNTS}/{made['id']}/api", json={"bearer_token": "t"})).json()
    assert body["monthly_budget_usd"] in ("0", 0)
    assert "may spend nothing yet" in body["sentence"]
    with pytest.raises(TooMany, match="money"):
        await pool.Acquire(wish())


async def test_results_have_a_cap_of_their_own_and_plans_are_kept_to(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str
) -> None:
    await client.put(f"{ACCOUNTS}/{app_account}/api", json={"monthly_results": 50})
    with pytest.raises(TooMany, match="money"):
        await pool.Acquire(wish())
    with pytest.raises(NotFound):
        await pool.Acquire(wish(units=10, full_archive=True))
    await client.put(f"{ACCOUNTS}/{app_account}/api", json={"full_archive": True})
    lease = (await pool.Acquire(wish(units=10, full_archive=True))).lease
    assert lease.api.full_archive is True


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 429, "body_kind": "problem:usage-capped"}, ("RESTING", "*")),
        ({"status": 429, "body_kind": "problem"}, ("RESTING", "tweetsRecentSearch")),
        ({"status": 403, "body_kind": "problem:client-forbidden"}, ("RESTING", "tweetsRecentSearch")),
        ({"status": 401, "body_kind": "problem"}, ("NEEDS_LOGIN", None)),
        ({"status": 503, "body_kind": "problem"}, ("NEW", None)),
    ],
)
async def test_each_refusal_means_something(
    client: httpx.AsyncClient,
    pool: AccountPoolStub,
    app_account: str,
    answer: dict[str, Any],
    expected: tuple[str, str | None],
) -> None:
    lease = (await pool.Acquire(wish())).lease
    await pool.Report(told(lease, units=0, **answer))
    status = (await client.get(f"{ACCOUNTS}/{app_account}/status")).json()
    state, rests = expected
    assert status["state"] == state
    assert [rest["operation"] for rest in status["rests"] if rest["until"]] == ([rests] if rests else [])
    assert await spent(client, app_account) == ("0", 0)


async def test_renewed_tokens_are_kept(client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str) -> None:
    user = {"client_id": "c", "client_secret": "s", "refresh_token": "first"}
    await client.put(f"{ACCOUNTS}/{app_account}/api", json=user)
    lease = (await pool.Acquire(wish())).lease
    assert (lease.api.bearer_token, lease.api.refresh_token) == ("", "first")
    fresh = pb.KeepApiRequest(
        lease_id=lease.lease_id, fencing_token=lease.fencing_token, refresh_token="second", access_token="access"
    )
    fresh.access_expires_at.FromDatetime(datetime(2030, 1, 1, tzinfo=UTC))
    await pool.KeepApi(fresh)
    again = (await pool.Acquire(wish())).lease
    assert (again.api.refresh_token, again.api.access_token, again.api.client_secret) == ("second", "access", "s")
    shown = await client.get(f"{ACCOUNTS}/{app_account}")
    assert shown.json()["secrets_set"] == ["api"]
    assert not [word for word in ("second", "access_token", "secret-token") if word in shown.text]


async def test_tokens_that_a_person_gave_meanwhile_are_not_lost_to_a_renewal_of_those_before(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str
) -> None:
    user = {"client_id": "c", "client_secret": "s", "refresh_token": "first"}
    await client.put(f"{ACCOUNTS}/{app_account}/api", json=user | {"monthly_budget_usd": "50"})

    async def keep(refresh: str, access: str, person: str = "") -> str:
        lease = (await pool.Acquire(wish())).lease
        if person:
            await client.put(f"{ACCOUNTS}/{app_account}/api", json=user | {"refresh_token": person})
        await pool.KeepApi(
            pb.KeepApiRequest(
                lease_id=lease.lease_id, fencing_token=lease.fencing_token, refresh_token=refresh,
                access_token=access, replaces="first",
            )
        )  # fmt: skip
        return str((await pool.Acquire(wish())).lease.api.refresh_token)

    assert await keep("first", "") == "first", "that a renewal begins"
    assert await keep("second", "access") == "second"
    assert await keep("second", "access") == "second", "told again, because the answer was lost"
    assert await keep("third", "other", person="persons") == "persons"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"monthly_budget_usd": "-1"}, "greater than or equal to 0"),
        ({"bearer_token": "a", "refresh_token": "b", "client_id": "c"}, "not both"),
        ({"refresh_token": "b"}, "client_id"),
        ({"bearer_token": "two words"}, "match"),
        ({"monthly_results": -5}, "greater than or equal to 0"),
    ],
)
async def test_bad_input_is_one_clear_line(
    client: httpx.AsyncClient, app_account: str, body: dict[str, Any], words: str
) -> None:
    refused = await client.put(f"{ACCOUNTS}/{app_account}/api", json=body)
    assert refused.status_code == 422
    assert words in refused.text


async def test_only_api_accounts_have_api_money(client: httpx.AsyncClient) -> None:
    web = (await client.post(ACCOUNTS, json={"username": "web"})).json()
    assert (await client.put(f"{ACCOUNTS}/{web['id']}/api", json={"bearer_token": "t"})).status_code == 409
    assert (await client.get(f"{ACCOUNTS}/nowhere/api")).status_code in (404, 422)


async def test_the_budget_tells_money_spent_held_and_left(
    client: httpx.AsyncClient, pool: AccountPoolStub, app_account: str, clock: ManualClock
) -> None:
    await client.post(ACCOUNTS, json={"username": "web"})
    first = (await pool.Acquire(wish())).lease
    await pool.Report(told(first, units=30))
    await pool.Release(pb.ReleaseRequest(lease_id=first.lease_id, fencing_token=first.fencing_token))
    await pool.Acquire(wish(units=20))
    found = (await client.get(f"{ACCOUNTS}/budget")).json()
    shown = {one["username"]: one["money"] for one in found["items"]}
    assert shown["web"] is None
    assert found["money"] == shown["app"]
    told_money = {name: float(shown["app"][name]) for name in ("cap", "spent", "held", "left")}
    assert told_money == {"cap": 1.0, "spent": 0.15, "held": 0.1, "left": 0.75}
    assert (shown["app"]["currency"], shown["app"]["results"], shown["app"]["requests"]) == ("USD", 50, 2)
    ends = datetime.fromisoformat(shown["app"]["resets_at"])
    assert (ends.day, ends.hour, ends > clock.now()) == (1, 0, True)


async def test_prices_are_told_to_who_asks_for_the_budget_of_an_official_api(
    pool: AccountPoolStub,
) -> None:
    asked = {"owner_id": "ada", "operation": "tweetsRecentSearch"}
    told = await pool.Budget(pb.BudgetRequest(platform="x_api", **asked))
    assert (told.prices.post_micros, told.prices.user_micros, told.prices.request_micros) == (5_000, 10_000, 0)
    assert not (await pool.Budget(pb.BudgetRequest(platform="x", **asked))).HasField("prices")
