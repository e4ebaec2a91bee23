"""Who may register, and as what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_testing.apps import running

PASSWORD = "correct horse battery"
Api = Callable[..., Awaitable[httpx.Response]]


async def test_first_user_is_admin_and_the_next_are_analysts(post: Api) -> None:
    first = await post("register", username="ada", password=PASSWORD, email="ada@example.org")
    second = await post("register", username="bob", password=PASSWORD)
    assert (first.status_code, first.json()["roles"]) == (201, ["admin"])
    assert (second.status_code, second.json()["roles"]) == (201, ["analyst"])
    assert "password" not in first.text + second.text


async def test_registrations_at_once_make_exactly_one_admin(post: Api) -> None:
    answers = await asyncio.gather(*(post("register", username=f"user-{n}", password=PASSWORD) for n in range(8)))
    assert {a.status_code for a in answers} == {201}
    assert sorted(a.json()["roles"][0] for a in answers) == ["admin"] + ["analyst"] * 7


async def test_usernames_are_unique_whatever_their_case(post: Api) -> None:
    await post("register", username="Ada", password=PASSWORD)
    answer = await post("register", username="aDA", password=PASSWORD)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:xget:error:username_taken")
    assert (await post("login", username="ADA", password=PASSWORD)).status_code == 200


async def test_one_name_registered_at_once_is_one_user(post: Api) -> None:
    answers = await asyncio.gather(*(post("register", username="ada", password=PASSWORD) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"username": "ab"}, "username", "string_pattern_mismatch"),
        ({"username": "a" * 65}, "username", "string_pattern_mismatch"),
        ({"username": "ada\n"}, "username", "string_pattern_mismatch"),
        ({"username": "ada lovelace"}, "username", "string_pattern_mismatch"),
        ({"username": "ädä"}, "username", "string_pattern_mismatch"),
        ({"password": "short"}, "password", "string_too_short"),
        ({"password": "x" * 257}, "password", "string_too_long"),
        ({"password": "ababababababab"}, "password", "too_few_characters"),
        ({"username": "adalovelace1", "password": "AdaLovelace1"}, "password", "not_username"),
        ({"email": "nobody"}, "email", "string_pattern_mismatch"),
        ({"roles": ["admin"]}, "roles", "extra_forbidden"),
    ],
)
async def test_wrong_fields_are_named(post: Api, body: dict[str, Any], field: str, rule: str) -> None:
    answer = await post("register", **({"username": "ada", "password": PASSWORD} | body))
    assert answer.status_code == 422
    assert [(e["field"], e["rule"]) for e in answer.json()["errors"]] == [(field, rule)]


async def test_closed_registration_still_takes_the_first_user(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, argon2_memory_kib=8, port=0, registration="closed")
    async with running(create_app(settings)) as client:
        path = "/api/v1/auth/register"
        first = await client.post(path, json={"username": "ada", "password": PASSWORD})
        second = await client.post(path, json={"username": "bob", "password": PASSWORD})
    assert first.json()["roles"] == ["admin"]
    assert (second.status_code, second.json()["type"]) == (403, "urn:xget:error:registration_closed")
    assert "XGET_REGISTRATION" in second.json()["detail"]
