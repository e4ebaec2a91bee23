"""The keys of a service over HTTP: administrators add one and have secrets written anew while tokens are signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
import pytest

URL = "/api/v1/auth/data-keys"
"""Every service with secrets has these routes from the same code."""
PASSWORD = "correct horse battery"
Api = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def admin(post: Api, client: httpx.AsyncClient) -> httpx.AsyncClient:
    await post("register", username="root", password=PASSWORD)
    await log_in(post, client, "root")
    return client


async def log_in(post: Api, client: httpx.AsyncClient, name: str) -> None:
    tokens = (await post("login", username=name, password=PASSWORD)).json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"


async def ask(client: httpx.AsyncClient, what: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{URL}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_new_key_takes_over_what_the_old_one_wrote(admin: httpx.AsyncClient, post: Api) -> None:
    (first,) = (await admin.get(URL)).json()["keys"]
    assert first["wrapped_by"] == "plain"
    added = (await admin.post(URL)).json()["id"]
    (count,) = (await ask(admin, "check"))["counts"]
    assert (count["key_id"], count["rows"], count["unreadable"]) == (first["id"], 1, 0)
    done = await ask(admin, "reencrypt", limit=1)
    assert (done["changed"], (await ask(admin, "reencrypt"))["changed"]) == (1, 0)
    assert [c["key_id"] for c in (await ask(admin, "check"))["counts"]] == [added]
    await log_in(post, admin, "root")
    assert (await admin.get("/api/v1/auth/me")).status_code == 200


async def test_old_keys_are_retired_when_nothing_needs_them_and_can_come_back(admin: httpx.AsyncClient) -> None:
    (first,) = (await admin.get(URL)).json()["keys"]
    old = {"ids": [first["id"]]}
    refused = await admin.post(f"{URL}/retire", json=old)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:xget:error:key_in_use")
    await admin.post(URL)
    assert (await admin.post(f"{URL}/retire", json=old)).status_code == 409, "it wrote the signing key"
    await ask(admin, "reencrypt")
    assert (await admin.post(f"{URL}/retire", json=old)).status_code == 204
    told = (await admin.get(URL)).json()
    assert told["place"] == "file"
    assert [key["id"] for key in told["keys"] if key["retired_at"]] == old["ids"]
    noted = [row["event"] for row in (await admin.get("/api/v1/auth/audit")).json()["items"]]
    assert [event for event in reversed(noted) if event.startswith("keys.")] == [
        "keys.retire_begun", "keys.retire_failed", "keys.add_begun", "keys.added", "keys.retire_begun",
        "keys.retire_failed", "keys.reencrypted", "keys.retire_begun", "keys.retired",
    ]  # fmt: skip
    assert (await admin.post(f"{URL}/restore", json=old)).status_code == 204
    assert (await admin.post(f"{URL}/restore", json=old)).status_code == 404
    assert [key["retired_at"] for key in (await admin.get(URL)).json()["keys"]] == [None, None]
    assert (await admin.post(f"{URL}/retire", json=old)).status_code == 204
    assert (await admin.post(f"{URL}/forget", json=old)).status_code == 204
    assert len((await admin.get(URL)).json()["keys"]) == 1


async def test_only_administrators_see_and_change_keys(admin: httpx.AsyncClient, post: Api) -> None:
    await post("register", username="ada", password=PASSWORD)
    await log_in(post, admin, "ada")
    assert (await admin.get(URL)).status_code == 403
    assert (await admin.get(f"{URL}/usage")).status_code == 403
    for path in (URL, f"{URL}/rewrap", f"{URL}/check", f"{URL}/reencrypt"):
        assert (await admin.post(path, json={})).status_code == 403
    for path in ("retire", "restore", "forget"):
        assert (await admin.post(f"{URL}/{path}", json={"ids": ["a"]})).status_code == 403


async def test_bad_requests_are_refused(admin: httpx.AsyncClient) -> None:
    for body in ({"cursor": "x"}, {"cursor": "WzksIiJd"}, {"limit": 0}, {"limit": 501}):
        assert (await admin.post(f"{URL}/check", json=body)).status_code == 422
    answer = await admin.post(f"{URL}/rewrap")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:xget:error:keys_fixed")
