"""What the embedded gateway lets through, what it refuses, and what it carries unchanged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2 as httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route as AsgiRoute

from xget_cache.opening import open_cache
from xget_kernel.clock import ManualClock
from xget_kernel.engines import EngineSettings
from xget_standalone.gateway.app import Gateway, create_gateway
from xget_standalone.gateway.config import GatewayConfig, RateLimiting, RequestSizeLimiting, default_path, load
from xget_testing.tokens import TokenMaker
from xget_web.serve import serve


async def echo(request: Request) -> JSONResponse:
    """What arrived, as the service saw it."""
    body = await request.body()
    seen = {"path": request.url.path, "query": request.url.query, "headers": dict(request.headers), "size": len(body)}
    return JSONResponse(seen, headers={"x-of-service": "kept"})


async def stream(_: Request) -> StreamingResponse:
    async def beats() -> AsyncIterator[bytes]:
        for n in range(3):
            yield f"data: {n}\n\n".encode()
            await asyncio.sleep(0.05)

    return StreamingResponse(beats(), media_type="text/event-stream")


async def document(_: Request) -> JSONResponse:
    schema = {"schemas": {"Read": {"properties": {"self": {"$ref": "#/components/schemas/Read"}}}}}
    return JSONResponse({"paths": {"/api/v1/tasks": {}, "/healthz": {}}, "components": schema})


@asynccontextmanager
async def gateway(config: GatewayConfig | None = None, *, open_mode: bool = False, down: bool = False):
    """A gateway before one upstream that plays every service; gives a client and a token maker."""
    stop, tokens = asyncio.Event(), TokenMaker()
    house = await open_cache(EngineSettings(redis_url=None), ManualClock())  # no window ends under way
    ports: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    routes = [AsgiRoute("/api/v1/tasks/stream", stream), AsgiRoute("/openapi.json", document)]
    upstream = Starlette(routes=[*routes, AsgiRoute("/{path:path}", echo, methods=["GET", "POST"])])
    server = asyncio.create_task(serve(upstream, "127.0.0.1", 0, stop, on_ready=ports.set_result))
    url = f"http://127.0.0.1:{9 if down else await ports}"

    async def ready() -> list[str]:
        return ["scraper: does not answer"] if down else []

    made = Gateway(
        config or load(default_path()),
        upstream=lambda _: url,
        verifier=tokens.verifier(),
        house=house,
        open_mode=open_mode,
        ready=ready,
    )
    app = create_gateway(made)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000")
    try:
        async with app.router.lifespan_context(app), client:
            yield client, tokens
    finally:
        stop.set()
        await server
        await house.close()


def bearer(tokens: TokenMaker) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.make()}"}


async def test_a_verified_request_reaches_its_service_unchanged() -> None:
    async with gateway() as (client, tokens):
        answer = await client.post("/api/v1/tasks/%E9%87%8F?q=a%20b", content=b"12345", headers=bearer(tokens))
    seen = answer.json()
    assert seen["path"] == "/api/v1/tasks/量"
    assert (seen["query"], seen["size"]) == ("q=a%20b", 5)
    assert seen["headers"]["authorization"].startswith("Bearer ")
    assert answer.headers["x-of-service"] == "kept"
    assert answer.headers["x-request-id"] == seen["headers"]["x-request-id"]


async def test_a_request_id_of_the_client_is_kept() -> None:
    async with gateway() as (client, tokens):
        answer = await client.get("/api/v1/tasks", headers={**bearer(tokens), "X-Request-ID": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json()["headers"]["x-request-id"] == "mine"


@pytest.mark.parametrize("header", [None, "Bearer ", "Basic abc", "Bearer not.a.token", "Bearer a.b.c"])
async def test_without_a_good_token_nothing_gets_through(header: str | None) -> None:
    async with gateway() as (client, _):
        answer = await client.get("/api/v1/tasks", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_token_of_another_signer_is_refused() -> None:
    async with gateway() as (client, _):
        answer = await client.get("/api/v1/tasks", headers=bearer(TokenMaker()))
    assert answer.status_code == 401


async def test_the_ways_to_a_token_need_none() -> None:
    async with gateway() as (client, _):
        assert (await client.post("/api/v1/auth/login", json={})).status_code == 200
        assert (await client.get("/.well-known/jwks.json")).status_code == 200


async def test_unknown_paths_are_a_problem() -> None:
    async with gateway() as (client, _):
        answer = await client.get("/api/v2/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:xget:error:no_route")


async def test_open_mode_needs_no_token_but_still_checks_one_and_its_host() -> None:
    async with gateway(open_mode=True) as (client, tokens):
        assert (await client.get("/api/v1/tasks")).status_code == 200
        assert (await client.get("/api/v1/tasks", headers=bearer(tokens))).status_code == 200
        assert (await client.get("/api/v1/tasks", headers={"Authorization": "Bearer x.y.z"})).status_code == 401
        assert (await client.get("/api/v1/tasks", headers={"Host": "evil.example"})).status_code == 403
        assert (await client.get("/api/v1/tasks", headers={"Origin": "http://evil.example"})).status_code == 403
        assert (await client.get("/api/v1/tasks", headers={"Origin": "http://localhost:3000"})).status_code == 200


async def test_a_used_up_window_says_when_to_come_back() -> None:
    config = load(default_path())
    routes = [msgspec.structs.replace(r, plugins={"rate-limiting": RateLimiting(minute=2)}) for r in config.routes]
    async with gateway(msgspec.structs.replace(config, routes=routes)) as (client, _):
        statuses = [(await client.get("/api/v1/tasks")).status_code for _ in range(3)]
        refused = await client.get("/api/v1/tasks")
    assert statuses == [200, 200, 429]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-remaining"] == "0"


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused(declared: bool) -> None:
    config = load(default_path())
    small = {"request-size-limiting": RequestSizeLimiting(allowed_payload_size=1, size_unit="kilobytes")}
    config = msgspec.structs.replace(config, routes=[msgspec.structs.replace(r, plugins=small) for r in config.routes])

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with gateway(config) as (client, _):
        answer = await client.post("/api/v1/tasks", content=b"x" * 2000 if declared else chunks())
    assert answer.status_code == 413


async def test_a_service_that_is_down_is_a_503_and_the_gateway_is_not_ready() -> None:
    async with gateway(down=True) as (client, tokens):
        answer = await client.get("/api/v1/tasks", headers=bearer(tokens))
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:xget:error:upstream_down")
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


async def test_events_are_streamed() -> None:
    async with gateway() as (client, tokens):
        answer = await client.get("/api/v1/tasks/stream", headers=bearer(tokens))
    assert answer.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


async def test_the_joined_document_keeps_equal_names_of_services_apart() -> None:
    async with gateway() as (client, _):
        joined = (await client.get("/openapi.json")).json()
        assert (await client.get("/docs")).status_code == 200
    assert set(joined["paths"]) == {"/api/v1/tasks"}
    assert joined["components"]["schemas"]["scraper_Read"]["properties"]["self"] == {
        "$ref": "#/components/schemas/scraper_Read"
    }
