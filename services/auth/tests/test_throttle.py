"""Guessing gets slower and slower, and never stops somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_kernel.clock import ManualClock
from xget_testing.apps import running

PASSWORD = "correct horse battery"
LOGIN = "/api/v1/auth/login"
Api = Callable[..., Awaitable[httpx.Response]]


async def guess(post: Api, times: int, username: str = "ada") -> list[int]:
    return [(await post("login", username=username, password="wrong guess")).status_code for _ in range(times)]


async def test_failures_in_a_row_cost_growing_pauses(ada: dict[str, Any], post: Api, clock: ManualClock) -> None:
    assert await guess(post, 7) == [401] * 5 + [429] * 2
    blocked = await post("login", username="ada", password=PASSWORD)
    assert (blocked.status_code, blocked.headers["retry-after"]) == (429, "30")
    clock.advance(30)
    assert await guess(post, 2) == [401, 429]
    clock.advance(59)
    assert await guess(post, 1) == [429]
    clock.advance(1)
    assert (await post("login", username="ada", password=PASSWORD)).status_code == 200
    assert await guess(post, 5) == [401] * 5


async def test_unknown_users_are_throttled_alike(ada: dict[str, Any], post: Api) -> None:
    known = [await post("login", username="ada", password="wrong") for _ in range(6)]
    unknown = [await post("login", username="nobody", password="wrong") for _ in range(6)]
    assert [a.status_code for a in known] == [a.status_code for a in unknown]
    assert known[-1].json() == unknown[-1].json()


async def test_other_accounts_of_the_address_still_log_in(ada: dict[str, Any], post: Api) -> None:
    await guess(post, 10, "victim")
    assert (await post("login", username="ada", password=PASSWORD)).status_code == 200


async def test_guesses_at_once_count_too(ada: dict[str, Any], post: Api) -> None:
    answers = await asyncio.gather(*(post("login", username="ada", password="wrong") for _ in range(20)))
    assert sum(a.status_code == 401 for a in answers) == 5


async def test_an_address_that_tries_many_names_is_throttled(ada: dict[str, Any], post: Api) -> None:
    codes = [(await guess(post, 1, f"name-{n}"))[0] for n in range(35)]
    assert codes == [401] * 30 + [429] * 5


async def test_right_passwords_do_not_count(ada: dict[str, Any], post: Api) -> None:
    for _ in range(40):
        assert (await post("login", username="ada", password=PASSWORD)).status_code == 200


async def test_blocks_survive_a_restart(settings: Settings, clock: ManualClock) -> None:
    body = {"username": "ada", "password": "wrong"}
    async with running(create_app(settings, clock=clock)) as client:
        for _ in range(5):
            await client.post(LOGIN, json=body)
    async with running(create_app(settings, clock=clock)) as client:
        assert (await client.post(LOGIN, json=body)).status_code == 429


async def test_addresses_are_apart(app: FastAPI, client: httpx.AsyncClient, ada: dict[str, Any]) -> None:
    far = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=far, base_url="http://127.0.0.1") as other:
        for number in range(31):
            answer = await other.post(LOGIN, json={"username": f"name-{number}", "password": "wrong"})
    assert answer.status_code == 429
    assert (await client.post(LOGIN, json={"username": "ada", "password": PASSWORD})).status_code == 200
