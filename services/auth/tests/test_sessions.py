"""Logins, refreshes, logouts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_kernel.clock import ManualClock
from xget_testing.apps import running
from xget_testing.database import everything_in

PASSWORD = "correct horse battery"
DAY = 86_400
Api = Callable[..., Awaitable[httpx.Response]]


async def test_login_gives_tokens_that_work(ada: dict[str, Any], get: Api) -> None:
    me = await get("me", ada["access_token"])
    assert (me.status_code, me.json()["username"], me.json()["roles"]) == (200, "ada", ["admin"])
    assert (ada["token_type"], ada["expires_in"], ada["refresh_expires_in"]) == ("Bearer", 900, 30 * DAY)


async def test_access_token_ends_after_fifteen_minutes(ada: dict[str, Any], get: Api, clock: ManualClock) -> None:
    clock.advance(899)
    assert (await get("me", ada["access_token"])).status_code == 200
    clock.advance(1)
    assert (await get("me", ada["access_token"])).status_code == 401


async def test_unknown_user_and_wrong_password_answer_the_same(ada: dict[str, Any], post: Api) -> None:
    wrong = await post("login", username="ada", password="something else")
    unknown = await post("login", username="nobody", password="something else")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_refresh_tokens_rotate(ada: dict[str, Any], post: Api, get: Api) -> None:
    second = (await post("refresh", refresh_token=ada["refresh_token"])).json()
    third = (await post("refresh", refresh_token=second["refresh_token"])).json()
    tokens = {ada["refresh_token"], second["refresh_token"], third["refresh_token"]}
    assert len(tokens) == 3
    assert (await get("me", third["access_token"])).status_code == 200


async def test_reuse_of_an_old_refresh_token_revokes_the_family(
    ada: dict[str, Any], post: Api, clock: ManualClock
) -> None:
    second = (await post("refresh", refresh_token=ada["refresh_token"])).json()
    clock.advance(6)
    reused = await post("refresh", refresh_token=ada["refresh_token"])
    assert (reused.status_code, reused.json()["type"]) == (401, "urn:xget:error:bad_refresh_token")
    assert (await post("refresh", refresh_token=second["refresh_token"])).status_code == 401
    assert (await post("login", username="ada", password=PASSWORD)).status_code == 200


async def test_two_refreshes_at_once_have_one_winner_and_the_session_lives(ada: dict[str, Any], post: Api) -> None:
    token = ada["refresh_token"]
    answers = await asyncio.gather(post("refresh", refresh_token=token), post("refresh", refresh_token=token))
    assert sorted(a.status_code for a in answers) == [200, 409]
    winner = next(a for a in answers if a.status_code == 200).json()
    assert (await post("refresh", refresh_token=winner["refresh_token"])).status_code == 200


async def test_unused_refresh_token_ends(ada: dict[str, Any], post: Api, clock: ManualClock) -> None:
    clock.advance(30 * DAY)
    assert (await post("refresh", refresh_token=ada["refresh_token"])).status_code == 401


async def test_logout_ends_the_session_and_only_this_one(ada: dict[str, Any], post: Api) -> None:
    other = (await post("login", username="ada", password=PASSWORD)).json()
    for _ in range(2):
        assert (await post("logout", refresh_token=ada["refresh_token"])).status_code == 204
    assert (await post("logout", refresh_token="never seen")).status_code == 204
    assert (await post("refresh", refresh_token=ada["refresh_token"])).status_code == 401
    assert (await post("refresh", refresh_token=other["refresh_token"])).status_code == 200


async def test_sessions_survive_a_restart(settings: Settings, clock: ManualClock) -> None:
    base = "/api/v1/auth"
    body = {"username": "ada", "password": PASSWORD}
    async with running(create_app(settings, clock=clock)) as client:
        await client.post(f"{base}/register", json=body)
        tokens = (await client.post(f"{base}/login", json=body)).json()
    async with running(create_app(settings, clock=clock), token=tokens["access_token"]) as client:
        assert (await client.get(f"{base}/me")).status_code == 200
        answer = await client.post(f"{base}/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 200


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("auth.db*"))


async def test_no_secret_lies_in_the_tables(
    ada: dict[str, Any], app: FastAPI, tmp_path: Path, database_url: str
) -> None:
    await app.state.auth.database.close()
    stored = everything(tmp_path) or repr(everything_in(database_url)).encode()
    assert ada["refresh_token"].encode() not in stored
    assert PASSWORD.encode() not in stored
    assert b'"d"' not in stored
    assert b"$argon2id$" in stored


async def test_audit_tells_who_came_and_went(ada: dict[str, Any], post: Api, get: Api) -> None:
    await post("login", username="my secret password", password="x")
    await post("logout", refresh_token=ada["refresh_token"])
    page = await get("audit", ada["access_token"])
    events = [i["event"] for i in page.json()["items"]]
    assert events == ["logged_out", "login_failed", "logged_in", "registered"]
    assert "secret password" not in page.text
    await post("register", username="bob", password=PASSWORD)
    bob = (await post("login", username="bob", password=PASSWORD)).json()
    assert (await get("audit", bob["access_token"])).status_code == 403
