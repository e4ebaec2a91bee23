"""The import over HTTP: each line answered, the same file again changes nothing."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
import pytest

URL = "/api/v1/accounts/import"
COOKIES = "auth_token=" + "a" * 40 + "; ct0=" + "c" * 64


async def post(client: httpx.AsyncClient, text: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(URL, json={"text": text} | fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_each_line_is_created_updated_or_refused(client: httpx.AsyncClient) -> None:
    first = await post(client, f"neo:p:n@m.org:x:{COOKIES}\nsmith:p:s@m.org:x\nbroken")
    assert [(r["line"], r["outcome"], r["username"]) for r in first["lines"]] == [
        (1, "created", "neo"),
        (2, "created", "smith"),
        (3, "refused", ""),
    ]
    assert "logs in with its password by itself" in first["lines"][1]["reason"]
    again = await post(client, f"NEO:p2:n@m.org:x:{COOKIES}", update=True)
    assert (again["updated"], again["lines"][0]["account_id"]) == (1, first["lines"][0]["account_id"])
    read = (await client.get(f"/api/v1/accounts/{first['lines'][0]['account_id']}")).json()
    assert (read["username"], read["status"], read["secrets_set"]) == (
        "neo",
        "NEW",
        ["password", "email_password", "cookies"],
    )


async def test_a_file_may_say_who_logs_in_with_google(client: httpx.AsyncClient) -> None:
    table = "username,password,email,login_method\nneo,p,n@m.org,google\nsmith,p,s@m.org,\nbad,p,b@m.org,FACEBOOK"
    lines = (await post(client, table))["lines"]
    assert [line["outcome"] for line in lines] == ["created", "created", "refused"]
    assert lines[2]["reason"] == "The field login_method has to be TWITTER or GOOGLE."
    methods = [
        (await client.get(f"/api/v1/accounts/{line['account_id']}")).json()["login_method"] for line in lines[:2]
    ]
    assert methods == ["GOOGLE", "TWITTER"]
    assert (await post(client, table))["unchanged"] == 2
    other = await post(client, "username,password,login_method\nneo,p,TWITTER")
    assert "login_method" in other["lines"][0]["reason"]
    assert other["conflict"] == 1


async def test_the_same_cookies_are_the_same_account(client: httpx.AsyncClient) -> None:
    export = [{"name": k, "value": v} for k, v in {"auth_token": "t", "ct0": "c", "twid": "u%3D12"}.items()]
    assert (await post(client, json.dumps(export)))["created"] == 1
    assert (await post(client, json.dumps(export)))["unchanged"] == 1
    assert (await client.get("/api/v1/accounts")).json()["items"][0]["username"] == "x-12"


async def test_other_secrets_are_a_conflict_that_changes_nothing_unless_update_is_wished(
    client: httpx.AsyncClient,
) -> None:
    await post(client, f"neo:first-pw:n@m.org:x:{COOKIES}")
    before = (await client.get("/api/v1/accounts")).json()
    other = f"neo:other-pw:n@m.org:x:{COOKIES.replace('a' * 40, 'b' * 40)}"
    line = (await post(client, other))["lines"][0]
    assert line["outcome"] == "conflict"
    assert "another password, cookies already" in line["reason"]
    assert not any(word in line["reason"] for word in ("first-pw", "other-pw", "bbbb"))
    assert (await client.get("/api/v1/accounts")).json() == before
    assert (await post(client, f"neo:first-pw:n@m.org:x:{COOKIES}"))["unchanged"] == 1
    assert (await post(client, other, update=True))["updated"] == 1
    assert (await post(client, other))["unchanged"] == 1


async def test_what_an_account_lacks_is_taken_without_asking(client: httpx.AsyncClient) -> None:
    await post(client, "neo:p:n@m.org:x")
    assert (await post(client, f"neo:p:n@m.org:x:{COOKIES}"))["updated"] == 1
    assert (await client.get("/api/v1/accounts")).json()["items"][0]["status"] in {"NEW", "ACTIVE"}


@pytest.mark.slow
async def test_ten_thousand_lines_are_taken_at_once(client: httpx.AsyncClient) -> None:
    text = "\r\n".join(f"user{i}:p:u{i}@m.org:x:auth_token=t{i}; ct0=c{i}" for i in range(10_000))
    assert (await post(client, text))["created"] == 10_000
    assert (await client.get("/api/v1/accounts")).json()["total"] == 10_000


async def test_bad_requests_are_problems(client: httpx.AsyncClient) -> None:
    for body, field in (
        ({"text": ""}, "text"),
        ({"text": "x", "format": "xlsx"}, "format"),
        ({"text": "x", "line_format": "username:shoe_size"}, "line_format"),
        ({}, "text"),
    ):
        answer = await client.post(URL, json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
    broken = await client.post(URL, content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 400
    surrogate = await client.post(URL, content=b'{"text":"\\ud800"}', headers={"content-type": "application/json"})
    assert surrogate.status_code in {400, 422}


async def test_unknown_columns_are_told_and_the_rest_is_taken(client: httpx.AsyncClient) -> None:
    found = await post(client, "username,password,phone,note\nneo,p-secret,t-secret,n-secret")
    assert (found["created"], found["unknown_columns"]) == (1, ["phone", "note"])
    assert {"username", "password", "cookies", "bearer_token"} <= {*found["known_columns"]}
    assert "secret" not in json.dumps({**found, "known_columns": []})
    found = await post(client, "username,password\nneo,p-secret")
    assert (found["unchanged"], found["unknown_columns"], found["known_columns"]) == (1, [], [])
