"""Secrets of accounts in the tables themselves: sealed, rotated under leases, lost and found again."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import String, cast, inspect, select, table
from sqlalchemy import column as named

from xget.account.v1 import account_pool_pb2 as pb
from xget.account.v1.account_pool_pb2_grpc import AccountPoolStub
from xget_account.models import SEALED
from xget_db.engine import Database
from xget_kernel.keys import KeyStore
from xget_rpc.client import RpcChannel, RpcNotFound
from xget_testing.apps import running
from xget_testing.byte_search import found_in
from xget_testing.tokens import TokenMaker

URL = "/api/v1/accounts"
KEYS = f"{URL}/data-keys"
PLANTED = {name: f"{secrets.token_urlsafe(18)}~{name}" for name in ("password", "email_password", "totp", "cookie")}
PLANTED["totp"] = base64.b32encode(secrets.token_bytes(20)).decode()


@pytest.fixture
async def admin(app: FastAPI, tokens: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=tokens.make("ada", ["admin"])) as client:
        yield client


@pytest.fixture
async def lending(app: FastAPI, admin: httpx.AsyncClient) -> AsyncIterator[Any]:
    channel = RpcChannel(f"127.0.0.1:{app.state.grpc_port}", "inner")
    yield channel.stub(AccountPoolStub)
    await channel.close()


async def fill(client: httpx.AsyncClient, number: int = 3) -> None:
    for n in range(number):
        own = {name: PLANTED[name] for name in ("password", "email_password", "totp")}
        cookies = {"auth_token": f"{PLANTED['cookie']}{n}", "ct0": "c" * 64}
        answer = await client.post(URL, json={"username": f"user{n}", "email": "a@b.c", **own, "cookies": cookies})
        assert answer.status_code == 201, answer.text


async def lease(pool: Any) -> Any:
    wish = pb.AcquireRequest(owner_id="ada", platform="x", operation="SearchTimeline", holder="run", ttl_seconds=60)
    return (await pool.Acquire(wish)).lease


async def walk(client: httpx.AsyncClient, what: str) -> list[dict[str, Any]]:
    cursor, pieces = None, []
    while True:
        answer = await client.post(f"{KEYS}/{what}", json={"cursor": cursor, "limit": 2})
        assert answer.status_code == 200, answer.text
        pieces.append(answer.json())
        cursor = pieces[-1]["next_cursor"]
        if cursor is None:
            return pieces


async def cells(database: Database) -> dict[str, list[str]]:
    """Every cell of every table as text, by `table.column`."""
    async with database.engine.connect() as connection:
        columns = await connection.run_sync(
            lambda sync: {
                name: [one["name"] for one in inspect(sync).get_columns(name)]
                for name in inspect(sync).get_table_names()
            }
        )
        found: dict[str, list[str]] = {}
        for name, names in columns.items():
            for one in names:
                query = select(cast(named(one), String)).select_from(table(name, named(one)))
                found[f"{name}.{one}"] = [str(cell) for cell in (await connection.scalars(query)) if cell is not None]
    return found


async def test_no_cell_holds_a_secret_after_leases_reports_and_a_rotation(
    app: FastAPI, admin: httpx.AsyncClient, lending: Any
) -> None:
    await fill(admin)
    given = await lease(lending)
    held = {"lease_id": given.lease_id, "fencing_token": given.fencing_token}
    text = f"refused: auth_token={PLANTED['cookie']}0"[:40]
    await lending.Report(pb.ReportRequest(**held, operation="SearchTimeline", status=200, error_text=text[:8]))
    added = (await admin.post(KEYS)).json()["id"]
    assert sum(piece["changed"] for piece in await walk(admin, "reencrypt")) == 12
    assert {count["key_id"] for piece in await walk(admin, "check") for count in piece["counts"]} == {added}
    assert (await lending.Release(pb.ReleaseRequest(**held))) is not None
    assert (await lease(lending)).cookies["auth_token"].startswith(PLANTED["cookie"])
    found = await cells(app.state.account.database)
    assert len(found) > 40
    assert found_in("\n".join(cell for column in found.values() for cell in column).encode(), PLANTED) == []
    declared = {f"{sealed.table}.{name}" for sealed in SEALED for name in sealed.columns}
    holding = {name for name, column in found.items() if any(cell.startswith("v1:") for cell in column)}
    assert holding <= declared, "a rotation would leave these behind: name them in SEALED"
    assert len(holding) == 4


async def test_a_lost_key_sets_accounts_aside_and_its_return_brings_them_back_without_a_restart(
    admin: httpx.AsyncClient, lending: Any, tmp_path: Path
) -> None:
    await fill(admin, 1)
    path = tmp_path / "keys.json"
    kept = path.read_bytes()
    path.unlink()
    KeyStore(path).open()
    (await admin.get(KEYS)).raise_for_status()
    await fill_one_more(admin)
    given = await lease(lending)
    assert given.username == "later", "the one whose key is lost is set aside, the others go on"
    pieces = await walk(admin, "check")
    assert sum(count["unreadable"] for piece in pieces for count in piece["counts"]) == 4
    assert {one["column"] for piece in pieces for one in piece["unreadable"]} == {*list(PLANTED)[:3], "cookies"}
    with pytest.raises(RpcNotFound):
        await lease_of(lending, pieces[0]["unreadable"][0]["id"])
    ours = path.read_bytes()
    path.write_bytes(merged(kept, ours))
    assert not any(piece["unreadable"] for piece in await walk(admin, "check"))
    back = await lease_of(lending, pieces[0]["unreadable"][0]["id"])
    assert back.cookies["auth_token"] == f"{PLANTED['cookie']}0"


async def fill_one_more(client: httpx.AsyncClient) -> None:
    cookies = {"auth_token": "t" * 20, "ct0": "c" * 64}
    answer = await client.post(URL, json={"username": "later", "cookies": cookies})
    assert answer.status_code == 201


async def lease_of(pool: Any, account_id: str) -> Any:
    wish = pb.AcquireRequest(owner_id="ada", platform="x", operation="UserTweets", holder="other", ttl_seconds=60)
    wish.account_id = account_id
    return (await pool.Acquire(wish)).lease


def merged(old: bytes, new: bytes) -> bytes:
    """Both key files in one, as an operator does it."""
    keys = {**json.loads(old)["keys"], **json.loads(new)["keys"]}
    return json.dumps({"keys": keys}).encode()
