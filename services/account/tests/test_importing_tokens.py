"""Tokens of the official API in account files: taken in every form, kept to themselves, bad ones refused in a line."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import pytest

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub

URL, ACCOUNTS = "/api/v1/accounts/import", "/api/v1/accounts"
BEARER = "A" * 22 + "%2Fsecret"
USER = {"username": "anna", "client_id": "client", "client_secret": "hush", "refresh_token": "refresh-anna"}
FORMS = {
    "lines": f"news:{BEARER}",
    "json": json.dumps([{"username": "news", "bearer_token": BEARER}, USER]),
    "json lines": "\n".join(json.dumps(one) for one in ({"username": "news", "bearer_token": BEARER}, USER)),
    "csv": f"username,bearer_token,client_id,client_secret,refresh_token\nnews,{BEARER},,,\n"
    "anna,,client,hush,refresh-anna",
}


async def post(client: httpx.AsyncClient, text: str, **fields: Any) -> list[dict[str, Any]]:
    answer = await client.post(URL, json={"text": text} | fields)
    assert answer.status_code == 200, answer.text
    assert not [word for word in ("Fsecret", "hush", "refresh-", "AAAA") if word in answer.text]
    return list(answer.json()["lines"])


def wish() -> pb.AcquireRequest:
    return pb.AcquireRequest(owner_id="ada", platform="x_api", operation="o", holder="run", unit_kind="posts")


@pytest.mark.parametrize("form", FORMS)
async def test_tokens_are_taken_in_every_form_and_lent(
    client: httpx.AsyncClient, pool: AccountPoolStub, form: str
) -> None:
    lines = await post(client, FORMS[form])
    assert {line["outcome"] for line in lines} == {"created"}
    assert "may spend nothing yet" in lines[0]["reason"]
    shown = (await client.get(f"{ACCOUNTS}/{lines[0]['account_id']}")).json()
    assert (shown["platform"], shown["status"], shown["login_method"], shown["secrets_set"]) == (
        "x_api", "NEW", "API", ["api"],
    )  # fmt: skip
    assert (await pool.Acquire(wish())).lease.api.bearer_token in (BEARER, "")
    assert [line["outcome"] for line in await post(client, FORMS[form])] == ["unchanged"] * len(lines)


async def test_other_tokens_are_a_conflict_unless_update_is_wished(
    client: httpx.AsyncClient, pool: AccountPoolStub
) -> None:
    await post(client, f"news:{BEARER}")
    (line,) = await post(client, f"news:{BEARER}2")
    assert (line["outcome"], "another api already" in line["reason"]) == ("conflict", True)
    assert (await post(client, f"NEWS:{BEARER}2", update=True))[0]["outcome"] == "updated"
    assert (await pool.Acquire(wish())).lease.api.bearer_token == f"{BEARER}2"


async def test_the_same_file_again_leaves_a_renewed_token_alone(
    client: httpx.AsyncClient, pool: AccountPoolStub
) -> None:
    await post(client, json.dumps(USER))
    lease = (await pool.Acquire(wish())).lease
    fresh = pb.KeepApiRequest(
        lease_id=lease.lease_id, fencing_token=lease.fencing_token, refresh_token="second", access_token="a"
    )
    await pool.KeepApi(fresh)
    assert (await post(client, json.dumps(USER), update=True))[0]["outcome"] == "unchanged"
    assert (await pool.Acquire(wish())).lease.api.refresh_token == "second"
    new = USER | {"refresh_token": "refresh-new"}
    assert (await post(client, json.dumps(new), update=True))[0]["outcome"] == "updated"
    again = (await pool.Acquire(wish())).lease.api
    assert (again.refresh_token, again.access_token) == ("refresh-new", "")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"username": "n", "bearer_token": "two words"}, "bearer_token is no token"),
        ({"username": "n", "bearer_token": "a", "refresh_token": "b", "client_id": "c"}, "has one of them"),
        ({"username": "n", "refresh_token": "b"}, "needs the client_id"),
        ({"username": "n", "client_id": "b"}, "are for a refresh_token"),
        ({"username": "n", "bearer_token": "b", "password": "p"}, "two accounts, on two lines"),
        ({"bearer_token": "b"}, "need a username"),
        ({"username": "n", "bearer_token": "b" * 5000}, "bearer_token is no token"),
    ],
)
async def test_bad_tokens_are_one_clear_line(client: httpx.AsyncClient, record: dict[str, str], words: str) -> None:
    (line,) = await post(client, json.dumps([record]))
    assert (line["outcome"], words in line["reason"]) == ("refused", True), line


async def test_a_name_may_be_of_the_web_and_of_the_api(client: httpx.AsyncClient) -> None:
    rows = f"username,password,bearer_token\nnews,pw,\nnews,,{BEARER}\nnews,,{BEARER}"
    lines = await post(client, rows)
    assert [line["outcome"] for line in lines] == ["created", "created", "refused"]
    assert await post(client, f"only:{BEARER}", line_format="username:bearer_token")
