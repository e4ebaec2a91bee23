"""The same POST twice is one effect and one answer."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from xget_testing.apps import running
from xget_testing.tokens import TokenMaker

NOTES = "/api/v1/notes"
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


@pytest.fixture
async def client(app: FastAPI, maker: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=maker.make()) as found:
        yield found


async def test_repeated_request_gets_the_stored_answer(app: FastAPI, client: httpx.AsyncClient) -> None:
    first = await client.post(NOTES, json={"name": "n"}, headers=KEY)
    again = await client.post(NOTES, json={"name": "n"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["content-type"] == "application/json"
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert app.state.toy.effects == 1


async def test_same_key_with_another_body_is_422(client: httpx.AsyncClient) -> None:
    await client.post(NOTES, json={"name": "n"}, headers=KEY)
    answer = await client.post(NOTES, json={"name": "other"}, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:xget:error:idempotency_key_reused")


async def test_keys_belong_to_their_caller(client: httpx.AsyncClient, maker: TokenMaker) -> None:
    await client.post(NOTES, json={"name": "n"}, headers=KEY)
    other = KEY | {"Authorization": f"Bearer {maker.make('other')}"}
    answer = await client.post(NOTES, json={"name": "n2"}, headers=other)
    assert (answer.status_code, answer.json()["owner"]) == (201, "other")


async def test_failed_request_is_not_remembered(app: FastAPI, client: httpx.AsyncClient) -> None:
    body, orphan = {"name": "n"}, KEY | {"X-Parent": "nobody"}
    assert (await client.post(NOTES, json=body, headers=orphan)).status_code == 500
    await client.post(NOTES, json={"name": "nobody"})
    again = await client.post(NOTES, json=body, headers=orphan)
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_simultaneous_requests_have_one_effect(app: FastAPI, client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post(NOTES, json={"name": "n"}, headers=KEY) for _ in range(6)))
    assert {a.status_code for a in answers} == {201}
    assert sum("idempotency-replayed" in a.headers for a in answers) == 5
    assert app.state.toy.effects == 1


async def test_key_of_a_running_request_is_409(app: FastAPI, client: httpx.AsyncClient) -> None:
    await client.post(NOTES, json={"name": "n"}, headers=KEY)
    async with app.state.toy.database.transaction() as session:
        await session.execute(update(app.state.toy.keys).values(status=None))
    answer = await client.post(NOTES, json={"name": "n"}, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:xget:error:idempotency_key_in_use")


@pytest.mark.parametrize("key", ["", "x" * 129, "two words", "é"])
async def test_strange_keys_are_422(client: httpx.AsyncClient, key: str) -> None:
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    answer = await client.post(NOTES, json={"name": "n"}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
