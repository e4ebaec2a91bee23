"""Owners let others use their accounts: who may give what to whom, who sees it, and when it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from xget_kernel.clock import ManualClock
from xget_kernel.errors import Unavailable
from xget_testing.asking import Person

Adder = Callable[..., Awaitable[dict[str, Any]]]
PATH = "/api/v1/accounts/grants"


async def test_a_grant_is_seen_by_both_and_lends_names_and_budgets_only(add_account: Adder, ask: Person) -> None:
    mine = await add_account("grace", daily_budget=9, password="planted-secret")
    made = await ask("ada", "POST", PATH, json={"grantee_id": "bob"})
    assert made.status_code == 201, made.text
    for who in ("ada", "bob"):
        assert [one["id"] for one in (await ask(who, "GET", PATH)).json()["items"]] == [made.json()["id"]]
    assert (await ask("eve", "GET", PATH)).json()["items"] == []
    lent = await ask("bob", "GET", "/api/v1/accounts/lent")
    assert lent.json()["items"] == [
        {
            "account_id": mine["id"], "owner_id": "ada", "platform": "x", "username": "grace", "state": "NEW",
            "daily_budget": 9, "budget_left": 9,
        }
    ]  # fmt: skip
    assert (await ask("eve", "GET", "/api/v1/accounts/lent")).json()["items"] == []


async def test_who_borrows_may_use_and_nothing_else(add_account: Adder, ask: Person) -> None:
    account = await add_account("grace", password="planted-secret")
    await ask("ada", "POST", PATH, json={"grantee_id": "bob"})
    path = f"/api/v1/accounts/{account['id']}"
    missing = (await ask("bob", "GET", "/api/v1/accounts/nobody")).json()["detail"]
    for method, tail, body in (
        ("GET", "", None), ("PUT", "", {"active": False}), ("DELETE", "", None), ("GET", "/status", None),
        ("POST", "/login", {}), ("POST", "/assist", None), ("POST", "/retire", {}), ("GET", "/leases", None),
        ("GET", "/history", None), ("GET", "/logins", None),
    ):  # fmt: skip
        answer = await ask("bob", method, path + tail, json=body)
        assert (answer.status_code, answer.json()["detail"]) == (404, missing), tail
    again = await ask("bob", "POST", PATH, json={"grantee_id": "eve", "subject_id": account["id"]})
    assert (again.status_code, again.json()["detail"]) == (404, missing)


MAY_GIVE = (
    ("ada", "operator", {"grantee_id": "bob"}, 201),
    ("ada", "analyst", {"grantee_id": "bob", "platform": "x"}, 201),
    ("ada", "viewer", {"grantee_id": "bob"}, 403),
    ("ada", "operator", {"grantee_id": "bob", "owner_id": "eve"}, 403),
    ("root", "admin", {"grantee_id": "bob", "owner_id": "ida"}, 201),
    ("root", "admin", {"grantee_id": "ada", "owner_id": "ada"}, 422),
    ("ada", "operator", {"grantee_id": "ada"}, 422),
    ("ada", "operator", {"grantee_id": ""}, 422),
    ("ada", "operator", {"grantee_id": "bob", "expires_at": "2001-01-01T00:00:00Z"}, 422),
    ("ada", "operator", {"grantee_id": "bob", "subject_id": "nobody"}, 404),
    ("ada", "operator", {"grantee_id": "bob", "secrets": True}, 422),
    ("ada", "operator", {"grantee_id": "nobody"}, 422),
    ("root", "admin", {"grantee_id": "bob", "owner_id": "nobody"}, 422),
)


async def test_who_may_grant_what(ask: Person) -> None:
    for who, role, body, status in MAY_GIVE:
        answer = await ask(who, "POST", PATH, role=role, json=body)
        assert answer.status_code == status, (who, role, body, answer.text)


async def test_who_is_no_user_is_named_by_its_field(ask: Person) -> None:
    refused = (await ask("ada", "POST", PATH, json={"grantee_id": "nobody"})).json()
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:xget:error:unknown_user", "grantee_id")
    body = {"grantee_id": "bob", "owner_id": "nobody"}
    refused = (await ask("root", "POST", PATH, role="admin", json=body)).json()
    assert [(error["field"], error["rule"]) for error in refused["errors"]] == [("owner_id", "exists")]


async def test_nobody_is_granted_anything_while_it_is_unknown_who_is_a_user(app: FastAPI, ask: Person) -> None:
    async def away(_: Collection[str]) -> set[str]:
        raise Unavailable("The service at 127.0.0.1:9001 does not answer.")

    built = app.state.account
    app.state.account = replace(built, grants=replace(built.grants, unknown=away))
    answer = await ask("ada", "POST", PATH, json={"grantee_id": "bob"})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:xget:error:users_unavailable")
    assert (await ask("ada", "GET", PATH)).json()["total"] == 0


async def test_the_same_grant_twice_is_refused_until_it_has_ended(ask: Person, clock: ManualClock) -> None:
    body = {"grantee_id": "bob", "expires_at": (clock.now() + timedelta(seconds=60)).isoformat()}
    assert (await ask("ada", "POST", PATH, json=body)).status_code == 201
    assert (await ask("ada", "POST", PATH, json=body | {"expires_at": None})).status_code == 409
    clock.advance(61)
    assert (await ask("ada", "POST", PATH, json=body | {"expires_at": None})).status_code == 201
    assert (await ask("bob", "GET", PATH)).json()["total"] == 1
    assert (await ask("bob", "GET", PATH, params={"ended": True})).json()["total"] == 2


MAY_REVOKE = (
    ("eve", "operator", 404), ("ada", "viewer", 403), ("ada", "operator", 204), ("bob", "operator", 204),
    ("root", "admin", 204),
)  # fmt: skip


async def test_who_may_revoke(ask: Person) -> None:
    for who, role, status in MAY_REVOKE:
        made = await ask("ada", "POST", PATH, json={"grantee_id": "bob", "platform": f"{who}{role}"})
        answer = await ask(who, "DELETE", f"{PATH}/{made.json()['id']}", role=role)
        assert answer.status_code == status, (who, role, answer.text)
    assert (await ask("ada", "GET", PATH)).json()["total"] == 2


async def test_giving_and_revoking_is_in_the_owners_trail(ask: Person) -> None:
    made = (await ask("ada", "POST", PATH, json={"grantee_id": "bob", "platform": "x"})).json()
    for _ in range(2):
        await ask("bob", "DELETE", f"{PATH}/{made['id']}")
    found = (await ask("ada", "GET", "/api/v1/accounts/audit", params={"subject": made["id"]})).json()["items"]
    assert [(row["action"], row["actor"], row["owner_id"]) for row in found] == [
        ("grant.revoked", "bob", "ada"), ("grant.given", "ada", "ada"),
    ]  # fmt: skip
    assert found[1]["details"] == {"grantee_id": "bob", "platform": "x", "subject_id": "", "expires_at": None}
