"""Users are found by their id or their exact name, by persons and by services; nobody can list them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_kernel.errors import Invalid
from xget_rpc.client import RpcChannel
from xget_rpc.users import UserDirectory
from xget_testing.apps import running

PASSWORD = "correct horse battery"
Api = Callable[..., Awaitable[httpx.Response]]


async def test_a_user_is_found_by_id_or_exact_name_and_no_other_is_told_of(
    app: FastAPI, post: Api, get: Api, ada: dict[str, Any]
) -> None:
    bob = (await post("register", username="Bob", password=PASSWORD, email="bob@example.org")).json()
    token = (await post("login", username="bob", password=PASSWORD)).json()["access_token"]
    told = {"id": bob["id"], "username": "Bob"}
    for query in ({"username": "bOB"}, {"id": bob["id"]}, {"id": [bob["id"], "nobody"], "username": ["bob", "eve"]}):
        assert (await get("users", token, **query)).json() == {"items": [told]}, query
    for query in ({}, {"username": "bo"}, {"username": "b%"}, {"id": "bob"}):
        assert (await get("users", token, **query)).json() == {"items": []}, query
    assert (await get("users", username="bob")).status_code == 401
    for query in ({"id": [str(n) for n in range(101)]}, {"username": "a\x00b"}, {"id": ""}):
        assert (await get("users", token, **query)).status_code == 422, query


async def test_services_are_told_which_ids_are_no_users(
    app: FastAPI, settings: Settings, post: Api, ada: dict[str, Any]
) -> None:
    bob = (await post("register", username="bob", password=PASSWORD)).json()["id"]
    channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", settings.internal_token)
    directory = UserDirectory(channel)
    assert await directory.unknown([bob]) == set()
    assert await directory.unknown([bob, "bob", "local"]) == {"bob", "local"}
    with pytest.raises(Invalid, match="100 ids at most"):
        await directory.unknown([str(n) for n in range(101)])
    await channel.close()


async def test_the_local_administrator_of_open_mode_is_a_user(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, open_mode=True, argon2_memory_kib=8, port=0)
    app = create_app(settings)
    async with running(app) as client:
        found = await client.get("/api/v1/auth/users", params={"username": "local"})
        assert found.json() == {"items": [{"id": "local", "username": "local"}]}
        channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", settings.internal_token)
        assert await UserDirectory(channel).unknown(["local", "eve"]) == {"eve"}
        await channel.close()
