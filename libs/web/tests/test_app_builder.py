"""Health, metrics, OpenAPI, docs, sessions and pages of a built app."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_testing.apps import running
from xget_testing.tokens import TokenMaker
from xget_web.health import Degraded

NOTES = "/api/v1/notes"


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


@pytest.fixture
async def client(app: FastAPI, maker: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app, token=maker.make()) as found:
        yield found


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_not_ready_says_what_is_missing(make_app: Callable[..., FastAPI]) -> None:
    async def fine() -> None:
        return None

    async def wrong() -> str:
        return "The relay stands still."

    async def broken() -> str:
        raise RuntimeError("inner")

    async with running(make_app(readiness=[fine, wrong, broken])) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("The relay stands still.")
        assert "inner" not in answer.text
        assert (await client.get("/healthz")).status_code == 200


async def test_degraded_is_ready_and_says_what_works_less_well(make_app: Callable[..., FastAPI]) -> None:
    async def less() -> str:
        return Degraded("Each process counts its own limits.")

    async with running(make_app(readiness=[less])) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ready", "degraded": ["Each process counts its own limits."]}


async def test_checks_run_at_once_and_a_silent_one_is_named(
    make_app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xget_web.health.CHECK_SECONDS", 2.0)

    async def tables_answer() -> None:
        await asyncio.sleep(60)

    async def stores_answer() -> None:
        await asyncio.sleep(60)

    async with running(make_app(readiness=[tables_answer, *[stores_answer] * 29])) as client:
        began = time.monotonic()
        answer = await client.get("/readyz")
        assert time.monotonic() - began < 30, "in turn they would have had a minute"
        assert answer.status_code == 503
        assert "'tables answer' did not answer within 2 seconds" in answer.json()["detail"]


async def test_metrics_count_by_route_template(client: httpx.AsyncClient) -> None:
    for path in (f"{NOTES}/a", f"{NOTES}/b", "/nowhere/at/all"):
        await client.get(path)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    line = 'xget_http_requests_total{method="GET",route="/api/v1/notes/{name}",service="toy",status="404"} 2.0'
    assert line in answer.text
    assert 'route="unmatched"' in answer.text
    assert "/nowhere" not in answer.text


async def test_nothing_has_a_nul_in_its_path(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/things/a%00b")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:xget:error:path_not_found")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_commit_that_fails_is_an_error_and_not_201(client: httpx.AsyncClient) -> None:
    answer = await client.post(NOTES, json={"name": "lost"}, headers={"X-Parent": "nobody"})
    assert answer.status_code == 500
    assert (await client.get(f"{NOTES}/lost")).status_code == 404


async def test_pages_count_rows(client: httpx.AsyncClient) -> None:
    for name in "abcde":
        await client.post(NOTES, json={"name": name})
    body = (await client.get(NOTES, params={"page": 2, "size": 2})).json()
    assert [i["name"] for i in body["items"]] == ["c", "d"]
    assert (body["page"], body["size"], body["total"], body["pages"]) == (2, 2, 5, 3)


async def test_openapi_documents_what_can_occur(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    create = document["paths"][NOTES]["post"]
    assert {"201", "400", "401", "403", "409", "413", "415", "422", "500", "503", "507"} == set(create["responses"])
    assert create["operationId"] == "toy_create_note"
    for answers in (create["responses"]["409"], create["responses"]["422"]):
        assert list(answers["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert "404" in document["paths"][NOTES + "/{name}"]["get"]["responses"]


async def test_docs_page_needs_nothing_else(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.status_code == 200
    assert 'data-openapi="/openapi.json"' in answer.text
    assert "{{" not in answer.text
    assert "https://" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_etag_guards_an_update(client: httpx.AsyncClient) -> None:
    await client.post(NOTES, json={"name": "n"})
    tag = (await client.get(f"{NOTES}/n")).headers["etag"]
    body = {"name": "n"}
    assert (await client.put(f"{NOTES}/n", json=body)).status_code == 200
    assert (await client.put(f"{NOTES}/n", json=body, headers={"If-Match": f'"x", {tag}'})).status_code == 200
    answer = await client.put(f"{NOTES}/n", json=body, headers={"If-Match": '"old"'})
    assert (answer.status_code, answer.json()["type"]) == (412, "urn:xget:error:version_mismatch")
