"""Accounts over HTTP, through the real app."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget.account.v1 import account_pool_pb2 as pb
from xget_kernel.clock import ManualClock
from xget_testing.apps import LOOPBACK
from xget_testing.tokens import TokenMaker

URL = "/api/v1/accounts"
COOKIES = {"auth_token": "a" * 40, "ct0": "c" * 64}


def rules(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {(e["field"], e["rule"]) for e in answer.json()["errors"]}


async def test_an_account_is_kept_and_its_secrets_are_only_named(client: httpx.AsyncClient, tmp_path: Path) -> None:
    body = {"username": "Neo", "password": "pa55word", "totp": "JBSWY3DPEHPK3PXP", "cookies": COOKIES}
    body["email"] = "n@m.org"
    answer = await client.post(URL, json=body)
    assert answer.status_code == 201
    read = answer.json()
    assert read["secrets_set"] == ["password", "cookies", "totp"]
    assert (read["status"], read["login_method"], read["owner_id"]) == ("NEW", "COOKIES", "ada")
    assert (await client.get(answer.headers["location"])).json() == read
    for text in (answer.text.encode(), on_disk(tmp_path)):
        assert b"pa55word" not in text
        assert b"a" * 40 not in text


def on_disk(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.glob("account.db*"))


async def test_lists_are_paged_filtered_and_sorted(client: httpx.AsyncClient, add_account: Any) -> None:
    for name in ("beta", "alpha", "gamma"):
        await add_account(name, active=name != "gamma")
    await add_account("late", cookies=None, password="p")

    async def names(query: str) -> list[str]:
        answer = await client.get(f"{URL}?{query}")
        assert answer.status_code == 200, answer.text
        return [item["username"] for item in answer.json()["items"]]

    assert await names("sort=username") == ["alpha", "beta", "gamma", "late"]
    assert await names("active=false") == ["gamma"]
    assert await names("username=ALPH") == ["alpha"]
    assert await names("username=%25") == []
    assert await names("status=NEEDS_LOGIN") == ["late"]
    assert len(await names("status=NEW")) == 3
    assert await names("status=RESTING") == []
    page = (await client.get(f"{URL}?page=2&size=3")).json()
    assert (len(page["items"]), page["total"], page["pages"]) == (1, 4, 2)


async def test_a_change_needs_the_version_that_was_seen(client: httpx.AsyncClient, add_account: Any) -> None:
    account = await add_account("neo")
    url = f"{URL}/{account['id']}"
    seen = (await client.get(url)).headers["etag"]
    changed = await client.put(url, json={"user_agent": "Mozilla"}, headers={"If-Match": seen})
    assert changed.status_code == 200
    assert changed.headers["etag"] != seen
    stale = await client.put(url, json={"active": False}, headers={"If-Match": seen})
    assert stale.status_code == 412
    assert (await client.get(url)).json()["active"] is True


async def test_absent_fields_stay_and_null_empties(client: httpx.AsyncClient, add_account: Any) -> None:
    account = await add_account("neo", email="n@m.org", password="p", headers={"x-twitter-client-language": "en"})
    url = f"{URL}/{account['id']}"
    body = {"email": None, "password": None, "username": "Trinity", "daily_budget": 7}
    after = (await client.put(url, json=body)).json()
    assert (after["email"], after["username"], after["daily_budget"]) == (None, "Trinity", 7)
    assert after["secrets_set"] == ["cookies"]
    assert after["headers"] == {"x-twitter-client-language": "en"}


async def test_without_cookies_an_account_waits_and_fresh_ones_heal_it(
    client: httpx.AsyncClient, add_account: Any
) -> None:
    account = await add_account("neo", cookies=None, password="p")
    url = f"{URL}/{account['id']}"
    assert account["status"] == "NEEDS_LOGIN"
    refused = await client.put(url, json={"status": "ACTIVE"})
    assert refused.status_code == 422
    healed = await client.put(url, json={"cookies": "auth_token=abc; ct0=def"})
    assert (healed.json()["status"], healed.json()["error_msg"]) == ("NEW", None)
    gone = await client.put(url, json={"cookies": None})
    assert (gone.json()["status"], gone.json()["secrets_set"]) == ("NEEDS_LOGIN", ["password"])


@pytest.mark.parametrize(
    ("body", "step", "says"),
    [
        ({}, "import_cookies", "import auth_token and ct0"),
        ({"password": "p"}, "login", "logs in with its password by itself"),
        ({"platform": "x_api"}, "give_token", "xget accounts api NAME"),
    ],
)
async def test_a_new_account_says_what_it_lacks(
    client: httpx.AsyncClient, body: dict[str, Any], step: str, says: str
) -> None:
    made = (await client.post(URL, json={"username": "neo", **body})).json()
    status = (await client.get(f"{URL}/{made['id']}/status")).json()
    assert (status["next_step"], says in status["sentence"]) == (step, True)
    assert made["error_msg"] == status["sentence"]


async def test_the_same_username_twice_is_a_conflict(client: httpx.AsyncClient, add_account: Any) -> None:
    await add_account("neo")
    other = await add_account("trinity")
    again = await client.post(URL, json={"username": "NEO", "cookies": COOKIES})
    assert again.status_code == 409
    assert rules(again) == {("username", "unique")}
    renamed = await client.put(f"{URL}/{other['id']}", json={"username": "Neo"})
    assert renamed.status_code == 409


async def test_somebody_elses_account_is_as_if_it_were_not_there(
    client: httpx.AsyncClient, app: FastAPI, add_account: Any, tokens: TokenMaker
) -> None:
    account = await add_account("neo")
    transport = httpx.ASGITransport(app)
    missing = f"{URL}/{account['id'][:-4]}0000"
    async with httpx.AsyncClient(transport=transport, base_url=LOOPBACK) as bob:
        bob.headers["Authorization"] = f"Bearer {tokens.make('bob', ['operator'])}"
        for url in (f"{URL}/{account['id']}", missing):
            for answer in (await bob.get(url), await bob.put(url, json={"active": False}), await bob.delete(url)):
                assert answer.status_code == 404
                assert answer.json()["detail"] == (await bob.get(missing)).json()["detail"]
            assert (await bob.get(f"{url}/status")).status_code == 404
        assert (await bob.get(URL)).json()["total"] == 0
        assert (await bob.post(URL, json={"username": "neo", "cookies": COOKIES})).status_code == 201
        bob.headers["Authorization"] = f"Bearer {tokens.make('root', ['admin'])}"
        assert (await bob.get(URL)).json()["total"] == 2
        bob.headers["Authorization"] = f"Bearer {tokens.make('ada', ['viewer'])}"
        assert (await bob.get(f"{URL}/{account['id']}")).status_code == 200
        assert (await bob.delete(f"{URL}/{account['id']}")).status_code == 403
        del bob.headers["Authorization"]
        assert (await bob.get(URL)).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "n\u0000eo"}, "username"),
        ({"username": "n" * 65}, "username"),
        ({"username": "neo", "platform": "myspace"}, "platform"),
        ({"username": "neo", "email": "a\u0007b"}, "email"),
        ({"username": "neo", "cookies": {"auth_token": "only"}}, "cookies"),
        ({"username": "neo", "cookies": "nonsense"}, "cookies"),
        ({"username": "neo", "daily_budget": 0}, "daily_budget"),
        ({"username": "neo", "daily_budget": 10**30}, "daily_budget"),
        ({"username": "neo", "headers": {"cookie": "auth_token=x"}}, "headers"),
        ({"username": "neo", "headers": {"a": "b\r\nc"}}, "headers.a"),
        ({"username": "neo", "pasword": "x"}, "pasword"),
        ({"username": "neo", "active": "perhaps"}, "active"),
        ({}, "username"),
    ],
)
async def test_bad_bodies_name_the_field(client: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await client.post(URL, json=body)
    assert answer.status_code == 422, answer.text
    assert field in {name for name, _ in rules(answer)}, answer.text


async def test_the_same_idempotency_key_adds_one_account(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await client.post(URL, json={"username": "neo", "cookies": COOKIES}, headers=headers)
    again = await client.post(URL, json={"username": "neo", "cookies": COOKIES}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


async def test_the_same_idempotency_key_at_once_adds_one_account(client: httpx.AsyncClient) -> None:
    headers, body = {"Idempotency-Key": "k1"}, {"username": "neo", "cookies": COOKIES}
    answers = await asyncio.gather(*(client.post(URL, json=body, headers=headers) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_same_name_at_once_is_added_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post(URL, json={"username": "neo", "cookies": COOKIES}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_lists_sort_text_alike_on_every_database(client: httpx.AsyncClient) -> None:
    for name in ("b-1", "b_2", "a", "B3", "_x", "1a"):
        await client.post(URL, json={"username": name, "cookies": COOKIES})
    names = [item["username"] for item in (await client.get(URL, params={"sort": "username"})).json()["items"]]
    assert names == sorted(names, key=str.casefold)
    unused = (await client.get(URL, params={"sort": "-last_used"})).json()["items"]
    assert len(unused) == len(names)


async def test_the_proxy_is_checked_and_its_service_may_be_away(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json={"username": "neo", "proxy_id": "p1"})
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:xget:error:proxies_unavailable"


async def test_status_says_how_the_account_is(client: httpx.AsyncClient, add_account: Any, clock: ManualClock) -> None:
    account = await add_account("neo")
    status = (await client.get(f"{URL}/{account['id']}/status")).json()
    assert (status["state"], status["usable"], status["rests"], status["lease"]) == ("NEW", True, [], None)
    assert status["sentence"] == "Is ready and was never used."
    await client.put(f"{URL}/{account['id']}", json={"active": False})
    off = (await client.get(f"{URL}/{account['id']}/status")).json()
    assert (off["usable"], off["sentence"][:15]) == (False, "Is switched off")


async def test_readiness_and_metrics_tell_the_truth(client: httpx.AsyncClient, pool: Any, add_account: Any) -> None:
    await add_account("neo")
    wish = pb.AcquireRequest(owner_id="ada", platform="x", operation="Search", holder="run")
    lease = (await pool.Acquire(wish)).lease
    assert lease.username == "neo"
    assert (await client.get("/readyz")).status_code == 200
    assert 'xget_account_acquires_total{outcome="granted"} 1.0' in (await client.get("/metrics")).text


async def test_an_id_with_a_nul_is_of_nothing(client: httpx.AsyncClient) -> None:
    for path in ("a%00b", "%00/status", "a%00/history"):
        assert (await client.get(f"/api/v1/accounts/{path}")).status_code == 404
