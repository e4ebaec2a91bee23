"""Servers in one loop, their stop, and event streams."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI, Request

from xget_kernel.errors import StartupError
from xget_testing.apps import serving
from xget_testing.fuzz import fuzz
from xget_testing.tokens import TokenMaker
from xget_web.serve import bind, serve
from xget_web.sse import ServerSentEvent, frame_of

EVENTS = "/api/v1/notes/events"
PATIENCE = 60


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


async def test_two_servers_share_a_loop(make_app: Callable[..., FastAPI], maker: TokenMaker) -> None:
    async with serving(make_app(), token=maker.make()) as one, serving(make_app()) as two:
        assert one.base_url != two.base_url
        assert (await one.get("/healthz")).status_code == 200
        assert (await two.get("/readyz")).status_code == 200


async def test_port_in_use_is_a_startup_error_with_the_fix(app: FastAPI) -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=rf"Port {port} .*--port-base"):
            await serve(app, "127.0.0.1", port, asyncio.Event())


async def test_address_of_another_machine_is_a_startup_error(app: FastAPI) -> None:
    with pytest.raises(StartupError, match="XGET_HOST"):
        await serve(app, "192.0.2.1", 0, asyncio.Event())


async def test_lifespan_errors_reach_the_caller() -> None:
    def fail(_app: FastAPI) -> Any:
        raise StartupError("The home folder is newer than this version.")

    with pytest.raises(StartupError, match="newer"):
        await serve(FastAPI(lifespan=fail), "127.0.0.1", 0, asyncio.Event())


async def test_events_are_streamed_and_end(app: FastAPI, maker: TokenMaker) -> None:
    async with serving(app, token=maker.make()) as client:
        answer = await client.get(EVENTS)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text == 'data: {"number":0}\n\ndata: {"number":1}\n\ndata: {"number":2}\n\n'
        assert app.state.toy.closed_streams == 1


async def endless(client: httpx.AsyncClient, leave_after: int, begun: asyncio.Event | None = None) -> int:
    seen = 0
    begun = begun or asyncio.Event()
    async with client.stream("GET", EVENTS + "/endless") as answer:
        async for line in answer.aiter_lines():
            begun.set()
            seen += line.startswith((":", "data"))
            if seen >= leave_after:
                break
    return seen


async def test_a_silent_stream_pings_and_closes_with_its_client(app: FastAPI, maker: TokenMaker) -> None:
    async with serving(app, token=maker.make()) as client:
        assert await endless(client, 8) == 8
        for _ in range(1200):
            if app.state.toy.closed_streams:
                break
            await asyncio.sleep(0.05)
        assert app.state.toy.closed_streams == 1


async def test_open_streams_do_not_hold_the_stop(app: FastAPI, maker: TokenMaker) -> None:
    async with serving(app, token=maker.make()) as client:
        begun = asyncio.Event()
        reading = asyncio.create_task(endless(client, 10_000, begun))
        await begun.wait()
        await asyncio.sleep(0.3)
        assert not reading.done()
        app.state.xget_web.stopping.set()
        async with asyncio.timeout(PATIENCE):
            await reading


async def test_stop_ends_open_streams_at_once(app: FastAPI, maker: TokenMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_web.serve.GRACE_SECONDS", 10 * PATIENCE)  # what runs is not cut off
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, on_ready=port.set_result))
    base = f"http://127.0.0.1:{await port}"
    headers = {"Authorization": f"Bearer {maker.make()}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        begun = asyncio.Event()
        reading = asyncio.create_task(endless(client, 10_000, begun))
        await begun.wait()
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await reading
            await server
    assert app.state.toy.closed_streams == 1


async def test_address_of_a_local_gateways_client_is_known(maker: TokenMaker) -> None:
    app = FastAPI()

    @app.get("/")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    async with serving(app) as client:
        assert (await client.get("/")).json() == "127.0.0.1"
        assert (await client.get("/", headers={"X-Forwarded-For": "203.0.113.7"})).json() == "203.0.113.7"


def test_event_fields_and_newlines_are_framed() -> None:
    event = ServerSentEvent(data={"text": "a\nb 中"}, event="progress", id="7")
    assert frame_of(event).decode() == 'event: progress\ndata: {"text":"a\\nb 中"}\nid: 7\n\n'


@pytest.mark.slow
def test_schemathesis_finds_nothing(app: FastAPI, maker: TokenMaker) -> None:
    fuzz(app, token=maker.make(exp=99999999999))


async def test_answers_do_not_wait_for_acknowledgements() -> None:
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listener)
        accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
        _, mine = await asyncio.open_connection(*listener.getsockname()[:2])
        theirs = await accepted
        assert theirs.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for writer in (mine, theirs):
            writer.close()
            await writer.wait_closed()
        server.close()
        await server.wait_closed()
