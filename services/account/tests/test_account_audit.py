"""Who did, changed or saw what with accounts is written down, told to their owner, and forgotten in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from xget_account.models import AUDIT, LeaseLog
from xget_account.repository.uses import UseRepository
from xget_account.service.uses import Forgetting
from xget_kernel.clock import ManualClock
from xget_kernel.pages import PageQuery
from xget_testing.apps import LOOPBACK
from xget_testing.database import query
from xget_testing.tokens import TokenMaker

Adder = Callable[..., Awaitable[dict[str, Any]]]
PATH = "/api/v1/accounts/audit"
SECRET = "planted-secret-of-grace"


async def rows(client: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    answer = await client.get(PATH, params={"limit": 100, **wanted})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_what_a_person_does_with_an_account_is_there_in_order_without_secrets(
    client: httpx.AsyncClient, add_account: Adder
) -> None:
    account = await add_account("grace", password=SECRET)
    path = f"/api/v1/accounts/{account['id']}"
    await client.put(path, json={"daily_budget": 7, "password": SECRET + "2", "email": "grace@example.org"})
    await client.post(f"{path}/retire", json={"reason": "Too old."})
    await client.post(f"{path}/revive", json={})
    assert (await client.delete(path, headers={"X-Request-ID": "the-last-one"})).status_code == 204
    found = await rows(client, subject=account["id"])
    assert [row["action"] for row in reversed(found)] == [
        "account.created", "account.updated", "account.secrets_replaced", "account.retired", "account.state_changed",
        "account.deleted",
    ]  # fmt: skip
    assert {(row["actor"], row["via"], row["owner_id"], row["subject_kind"]) for row in found} == {
        ("ada", "token", "ada", "account")
    }
    assert found[0]["request_id"] == "the-last-one"
    changed = found[4]["details"]["changed"]
    assert changed == {"daily_budget": [None, 7], "email": None}
    assert found[3]["details"] == {"secrets": ["password"]}
    assert SECRET not in str(found)


async def test_looking_is_noted_once_a_minute_and_a_list_as_one_row(
    client: httpx.AsyncClient, add_account: Adder, clock: ManualClock
) -> None:
    one = await add_account("grace")
    for _ in range(3):
        await client.get(f"/api/v1/accounts/{one['id']}")
        await client.get("/api/v1/accounts")
    clock.advance(61)
    await client.get(f"/api/v1/accounts/{one['id']}")
    assert [row["action"] for row in await rows(client)] == [
        "account.viewed", "account.listed", "account.viewed", "account.created",
    ]  # fmt: skip


async def test_owners_see_what_is_theirs_and_administrators_all(
    client: httpx.AsyncClient, add_account: Adder, tokens: TokenMaker
) -> None:
    account = await add_account("grace")
    bob = {"Authorization": f"Bearer {tokens.make('bob', ['operator'])}"}
    assert (await client.get(f"/api/v1/accounts/{account['id']}", headers=bob)).status_code == 404
    assert (await client.get(PATH, headers=bob)).json()["items"] == []
    root = {"Authorization": f"Bearer {tokens.make('root', ['admin'])}"}
    await client.get(f"/api/v1/accounts/{account['id']}", headers=root)
    assert [row["actor"] for row in await rows(client, action="account.viewed")] == ["root"]
    assert len((await client.get(PATH, headers=root)).json()["items"]) == 2


async def test_a_list_goes_on_by_cursor_and_is_narrowed(
    client: httpx.AsyncClient, add_account: Adder, clock: ManualClock
) -> None:
    for name in ("grace", "hedy", "mary"):
        await add_account(name)
        clock.advance(10)
    first = (await client.get(PATH, params={"limit": 2})).json()
    rest = (await client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [row["details"]["username"] for row in [*first["items"], *rest["items"]]] == ["mary", "hedy", "grace"]
    assert rest["next_cursor"] is None
    since = (clock.now() - timedelta(seconds=15)).isoformat()
    assert [row["details"]["username"] for row in await rows(client, since=since)] == ["mary"]
    assert len(await rows(client, until=since)) == 2
    assert await rows(client, actor="nobody") == []
    for bad in ({"cursor": "nonsense"}, {"since": "yesterday"}, {"limit": 0}, {"actor": ""}):
        assert (await client.get(PATH, params=bad)).status_code == 422, bad


async def test_what_is_not_committed_is_not_noted(client: httpx.AsyncClient, add_account: Adder) -> None:
    await add_account("grace")
    assert (await client.post("/api/v1/accounts", json={"username": "GRACE"})).status_code == 409
    assert [row["action"] for row in await rows(client)] == ["account.created"]


async def test_an_import_notes_each_account(client: httpx.AsyncClient) -> None:
    for password in ("one", "two"):
        body = {"text": f"grace:{password}:g@example.org:mailpass\n", "update": True}
        assert (await client.post("/api/v1/accounts/import", json=body)).status_code == 200
    found = await rows(client)
    assert [row["action"] for row in reversed(found)] == ["account.created", "account.secrets_replaced"]
    assert found[0]["details"] == {"secrets": ["password"], "by": "import"}


@pytest.fixture
async def used(app: FastAPI, client: httpx.AsyncClient, add_account: Adder, clock: ManualClock) -> dict[str, Any]:
    account = await add_account("grace")
    now = clock.now()
    async with app.state.account.database.transaction() as session:
        for days in range(3):
            at = now - timedelta(days=days)
            row = LeaseLog(account_id=account["id"], holder=f"run-{days}", operation="SearchTimeline", times=days + 1)
            row.requester_id, row.first_at, row.last_at = "bob" if days else "", at, at
            session.add(row)
    return account


async def test_whose_runs_used_an_account_is_told_to_its_owner(
    client: httpx.AsyncClient, used: dict[str, Any], tokens: TokenMaker
) -> None:
    path = f"/api/v1/accounts/{used['id']}/leases"
    found = (await client.get(path)).json()
    assert [(row["holder"], row["requester_id"], row["times"]) for row in found["items"]] == [
        ("run-0", "", 1), ("run-1", "bob", 2), ("run-2", "bob", 3),
    ]  # fmt: skip
    bob = {"Authorization": f"Bearer {tokens.make('bob', ['operator'])}"}
    assert (await client.get(path, headers=bob)).status_code == 404


async def test_old_rows_are_removed_in_batches(
    app: FastAPI, used: dict[str, Any], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_account.service.uses.BATCH", 1)

    @asynccontextmanager
    async def work() -> AsyncIterator[UseRepository]:
        async with app.state.account.database.transaction() as session:
            yield UseRepository(session)

    clock.advance(timedelta(days=1, hours=1).total_seconds())
    removed = await Forgetting(work, clock, audit=timedelta(days=1), leases=timedelta(days=2)).run()
    assert removed == 1 + 2
    async with app.state.account.database.read() as session:
        assert (await session.execute(AUDIT.select())).all() == []
        _, left = await UseRepository(session).page(used["id"], PageQuery())
    assert left == 1


async def test_what_an_administrator_does_to_the_keys_is_there_for_administrators(
    client: httpx.AsyncClient, add_account: Adder, tokens: TokenMaker
) -> None:
    await add_account("grace", password=SECRET)
    admin = {"Authorization": f"Bearer {tokens.make('root', ['admin'])}"}
    keys = "/api/v1/accounts/data-keys"
    (old,) = (await client.get(keys, headers=admin)).json()["keys"]
    new = (await client.post(keys, headers=admin)).json()["id"]
    changed = (await client.post(f"{keys}/reencrypt", headers=admin, json={"limit": 100})).json()["changed"]
    for what in ("retire", "restore"):
        answer = await client.post(f"{keys}/{what}", headers=admin, json={"ids": [old["id"]]})
        assert answer.status_code == 204, answer.text
    found = (await client.get(PATH, headers=admin, params={"actor": "root", "limit": 100})).json()["items"]
    assert [(row["action"], row["details"]) for row in reversed(found)] == [
        ("keys.add_begun", {}),
        ("keys.added", {"key_id": new}),
        ("keys.reencrypted", {"secrets": changed}),
        ("keys.retire_begun", {"key_ids": [old["id"]]}),
        ("keys.retired", {"key_ids": [old["id"]]}),
        ("keys.restore_begun", {"key_ids": [old["id"]]}),
        ("keys.restored", {"key_ids": [old["id"]]}),
    ]
    assert {(row["subject_kind"], row["owner_id"]) for row in found} == {("keys", "")}
    assert [row for row in await rows(client) if row["action"].startswith("keys.")] == []


class NoProxies:
    """The owner has none: the account goes out directly."""

    async def address(self, owner_id: str, proxy_id: str | None) -> None:
        return None


async def test_what_was_seen_is_written_before_the_answer_leaves(
    app: FastAPI, client: httpx.AsyncClient, add_account: Adder, database_url: str, tokens: TokenMaker
) -> None:
    account = await add_account("grace", password=SECRET)
    known: list[set[str]] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                rows = await asyncio.to_thread(query, database_url, "SELECT action FROM audit")
                known.append({action for (action,) in rows})
            await send(message)

        await app(scope, receive, sent)

    app.state.account = replace(app.state.account, login_proxies=NoProxies())
    headers = {"Authorization": f"Bearer {tokens.make('ada', ['operator'])}"}
    seeing = httpx.AsyncClient(transport=httpx.ASGITransport(watched), base_url=LOOPBACK, headers=headers)
    async with seeing:
        path = f"/api/v1/accounts/{account['id']}"
        assert (await seeing.get(path)).status_code == 200
        assert "account.viewed" in known[-1]
        assert (await seeing.post(f"{path}/assist")).status_code == 201
        assert {"account.assist_opened", "account.secrets_opened"} <= known[-1]
