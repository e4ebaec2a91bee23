"""Signing keys, and tokens that are not ours."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from xget_auth.app import create_app, signing_keys
from xget_auth.settings import Settings
from xget_db.engine import Database
from xget_kernel.clock import ManualClock, SystemClock
from xget_kernel.errors import StartupError
from xget_testing.apps import running, serving
from xget_testing.fuzz import fuzz
from xget_testing.tokens import TokenMaker
from xget_web.tokens import TokenVerifier

PASSWORD = "correct horse battery"
JWKS = "/.well-known/jwks.json"
Api = Callable[..., Awaitable[httpx.Response]]


def header_of(token: str) -> dict[str, Any]:
    part = token.split(".", maxsplit=1)[0]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_key_set_is_public_and_holds_no_private_part(ada: dict[str, Any], client: httpx.AsyncClient) -> None:
    answer = await client.get(JWKS)
    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert "d" not in key
    assert header_of(ada["access_token"]) == {"typ": "JWT", "alg": "ES256", "kid": key["kid"]}


async def test_another_service_verifies_over_http(app: FastAPI, clock: ManualClock) -> None:
    body = {"username": "ada", "password": PASSWORD}
    async with serving(app) as client:
        await client.post("/api/v1/auth/register", json=body)
        token = (await client.post("/api/v1/auth/login", json=body)).json()["access_token"]
        verifier = TokenVerifier(f"{client.base_url}{JWKS}".replace("//.", "/."), clock=clock)
        caller = await verifier.verify(token)
    assert (caller.roles, caller.via) == (frozenset({"admin"}), "token")


async def test_rotation_ends_no_session(
    ada: dict[str, Any], post: Api, get: Api, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    old = header_of(ada["access_token"])["kid"]
    rotated = await post("keys/rotate", ada["access_token"])
    new = rotated.json()["kid"]
    assert rotated.status_code == 201
    early = (await post("login", username="ada", password=PASSWORD)).json()
    assert header_of(early["access_token"])["kid"] == old
    clock.advance(10)
    late = (await post("login", username="ada", password=PASSWORD)).json()
    assert header_of(late["access_token"])["kid"] == new
    for tokens in (ada, early, late):
        assert (await get("me", tokens["access_token"])).status_code == 200
    clock.advance(15 * 60)
    assert [k["kid"] for k in (await client.get(JWKS)).json()["keys"]] == [new, old]
    clock.advance(61)
    assert [k["kid"] for k in (await client.get(JWKS)).json()["keys"]] == [new]


async def test_only_administrators_rotate(ada: dict[str, Any], post: Api) -> None:
    await post("register", username="bob", password=PASSWORD)
    bob = (await post("login", username="bob", password=PASSWORD)).json()
    assert (await post("keys/rotate", bob["access_token"])).status_code == 403
    assert (await post("keys/rotate")).status_code == 401


async def test_tokens_that_are_not_ours_are_refused(
    ada: dict[str, Any], get: Api, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    kid = header_of(ada["access_token"])["kid"]
    head, body, signature = ada["access_token"].split(".")
    claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    foreign = ECKey.generate_key("P-256")
    raised = part(claims | {"roles": ["admin"], "sub": "someone"})
    forged = [
        TokenMaker(clock).make("ada", ["admin"]),
        TokenMaker(clock, kid).make("ada", ["admin"]),
        jwt.encode({"alg": "ES256", "kid": kid}, claims, foreign),
        jwt.encode({"alg": "ES256", "kid": kid, "jwk": foreign.as_dict(private=False)}, claims, foreign),
        f"{head}.{raised}.{signature}",
        f"{part({'alg': 'none', 'kid': kid})}.{body}.",
        f"{part({'alg': 'ES256', 'kid': kid})}.{body}.",
        f"{head}.{body}.{'A' * 86}",
        ada["refresh_token"],
    ]
    for token in forged:
        assert (await get("me", token)).status_code == 401, token


async def test_lost_key_file_is_a_startup_error_with_the_fix(settings: Settings, tmp_path: Path) -> None:
    async with running(create_app(settings)) as client:
        await client.post("/api/v1/auth/register", json={"username": "ada", "password": PASSWORD})
        (tmp_path / "keys.json").unlink()
    for says in (r"keys\.json is gone, .* wrote signing_keys\.private_jwk 1\. No new key", "restore keys.json .* lost"):
        with pytest.raises(StartupError, match=says):
            async with running(create_app(settings)):
                pytest.fail("it started")
        assert not (tmp_path / "keys.json").exists() or says.startswith("restore")
        settings.keyring()  # as a start of an older release left it: a file that opens nothing


async def test_a_lost_signing_key_is_given_up_on_request_and_users_stay(settings: Settings, tmp_path: Path) -> None:
    async with running(create_app(settings)) as client:
        body = {"username": "ada", "password": PASSWORD}
        await client.post("/api/v1/auth/register", json=body)
        before = (await client.post("/api/v1/auth/login", json=body)).json()
    (tmp_path / "keys.json").unlink()
    database = Database(settings.tables_url)
    service = signing_keys(database, settings.keyring(), SystemClock())
    assert [await service.begin_anew(), await service.begin_anew()] == [1, 0]
    await database.close()
    async with running(create_app(settings)) as client:
        assert (await client.get("/api/v1/auth/me", headers=bearer(before["access_token"]))).status_code == 401
        renewed = await client.post("/api/v1/auth/refresh", json={"refresh_token": before["refresh_token"]})
        token = renewed.json()["access_token"]
        assert (await client.get("/api/v1/auth/me", headers=bearer(token))).json()["username"] == "ada"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_ready_with_a_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200


async def test_open_mode_knows_the_local_administrator(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, open_mode=True, argon2_memory_kib=8, port=0)
    async with running(create_app(settings)) as client:
        me = (await client.get("/api/v1/auth/me")).json()
    assert (me["id"], me["roles"]) == ("local", ["admin"])


async def token_of_an_admin(settings: Settings) -> str:
    body = {"username": "ada", "password": PASSWORD}
    async with running(create_app(settings)) as client:
        await client.post("/api/v1/auth/register", json=body)
        return str((await client.post("/api/v1/auth/login", json=body)).json()["access_token"])


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_auth(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, argon2_memory_kib=8, port=0)
    token = asyncio.run(token_of_an_admin(settings))
    fuzz(create_app(settings), token=token, max_examples=10)
