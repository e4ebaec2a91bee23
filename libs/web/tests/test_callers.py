"""Tokens, forged ones, and open mode."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from xget_kernel.clock import ManualClock
from xget_kernel.errors import Unauthenticated, Unavailable
from xget_kernel.settings import ServiceSettings
from xget_testing.apps import running
from xget_testing.tokens import TokenMaker
from xget_web.tokens import LEEWAY_SECONDS, TokenVerifier, leeway_of

NOTES = "/api/v1/notes"


@pytest.fixture
async def client(make_app: Callable[..., FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    async with running(make_app()) as found:
        yield found


async def test_no_token_is_401_with_a_challenge(client: httpx.AsyncClient) -> None:
    answer = await client.get(NOTES)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:xget:error:unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_good_token_is_its_subject(client: httpx.AsyncClient, maker: TokenMaker) -> None:
    bearer = {"Authorization": f"Bearer {maker.make('u-1')}"}
    answer = await client.post(NOTES, json={"name": "mine"}, headers=bearer)
    assert answer.json()["owner"] == "u-1"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dTpw",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer é",
        "bearer x y",
        "Bearer " + "a" * 9000,
    ],
)
async def test_nonsense_is_401(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get(NOTES, headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401


async def refused(maker: TokenMaker, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await maker.verifier().verify(token)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": None},
        {"aud": ["a", "b"]},
        {"iss": "evil"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"nbf": 99999999999},
        {"sub": None},
        {"sub": 5},
        {"sub": ""},
    ],
)
async def test_wrong_claims_are_refused(maker: TokenMaker, claims: dict[str, Any]) -> None:
    await refused(maker, maker.make(**claims))


def part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_unsigned_and_foreign_signatures_are_refused(maker: TokenMaker) -> None:
    claims = {"iss": "xget", "aud": "xget", "sub": "u", "exp": 99999999999, "roles": ["admin"]}
    unsigned = f"{part({'alg': 'none', 'kid': 'test'})}.{part(claims)}."
    public_as_secret = OctKey.import_key(str(maker.jwks))
    confused = jwt.encode({"alg": "HS256", "kid": "test"}, claims, public_as_secret)
    foreign = jwt.encode({"alg": "ES256", "kid": "test"}, claims, ECKey.generate_key("P-256"))
    good = maker.make()
    stripped = good.rpartition(".")[0] + "."
    for token in (unsigned, confused, foreign, stripped, good[:-4] + "AAAA"):
        await refused(maker, token)


async def test_a_token_ends_with_its_time() -> None:
    clock = ManualClock()
    maker = TokenMaker(clock)
    verifier, token = maker.verifier(), maker.make()
    clock.advance(timedelta(minutes=14, seconds=59).total_seconds())
    assert (await verifier.verify(token)).via == "token"
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_a_clock_that_differs_by_five_minutes_refuses_no_good_token_and_no_more_than_that() -> None:
    auth, here = ManualClock(), ManualClock()
    maker = TokenMaker(auth)
    verifier = TokenVerifier(maker.jwks, clock=here, leeway=LEEWAY_SECONDS)
    early = maker.make(nbf=int(auth.now().timestamp()) + 300)
    token = maker.make()
    assert (await verifier.verify(early)).user_id == "user-1"
    here.advance(15 * 60 + 299)  # at the auth service it is good for one second more
    assert (await verifier.verify(token)).user_id == "user-1"
    here.advance(31)
    with pytest.raises(Unauthenticated, match="expired"):
        await verifier.verify(token)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        await verifier.verify(maker.make(nbf=int(here.now().timestamp()) + 331, exp=int(here.now().timestamp()) + 900))


@pytest.mark.parametrize(
    ("given", "leeway"),
    [
        ({}, 0.0),
        ({"auth_service_url": "http://auth:8001"}, LEEWAY_SECONDS),
        ({"database_url": "postgresql://xget:x@127.0.0.1/xget"}, LEEWAY_SECONDS),
    ],
)
def test_only_where_clocks_may_differ_tokens_are_judged_mildly(tmp_path: Path, given: dict, leeway: float) -> None:
    assert leeway_of(ServiceSettings(home=tmp_path, **given)) == leeway


async def test_unknown_keys_fetch_at_most_every_five_seconds() -> None:
    clock = ManualClock()
    old, new = TokenMaker(clock, "old"), TokenMaker(clock, "new")
    document, fetches = dict(old.jwks), 0

    async def load() -> dict[str, Any]:
        nonlocal fetches
        fetches += 1
        return document

    verifier = TokenVerifier(load, clock=clock)
    await verifier.verify(old.make())
    document = {"keys": old.jwks["keys"] + new.jwks["keys"]}
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await verifier.verify(new.make())
    assert fetches == 1
    clock.advance(5)
    await verifier.verify(new.make())
    await verifier.verify(old.make())
    assert fetches == 2


async def test_without_the_auth_service_it_is_unavailable_and_not_refused() -> None:
    with pytest.raises(Unavailable):
        await TokenVerifier("http://127.0.0.1:9/.well-known/jwks.json").verify(TokenMaker().make())


@pytest.fixture
async def open_client(make_app: Callable[..., FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    async with running(make_app(settings={"open_mode": True})) as found:
        yield found


async def test_open_mode_takes_no_token_for_the_local_admin(open_client: httpx.AsyncClient) -> None:
    answer = await open_client.post(NOTES, json={"name": "n"})
    assert (answer.status_code, answer.json()["owner"]) == (201, "local")


async def test_open_mode_still_verifies_a_token(open_client: httpx.AsyncClient) -> None:
    assert (await open_client.get(NOTES, headers={"Authorization": "Bearer forged"})).status_code == 401


@pytest.mark.parametrize("host", ["localhost", "localhost:8003", "127.0.0.1:9", "127.8.0.1", "[::1]:8000", "LOCALHOST"])
async def test_open_mode_answers_to_loopback_names(open_client: httpx.AsyncClient, host: str) -> None:
    answer = await open_client.get(NOTES, headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8003"},
        {"Host": "localhost.evil.example"},
        {"Host": "10.0.0.5:8003"},
        {"Host": "user@localhost"},
        {"Host": ""},
        {"Host": "localhost:notaport"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_open_mode_refuses_foreign_hosts_and_origins(
    open_client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await open_client.post(NOTES, json={"name": "n"}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:xget:error:foreign_host")
