"""Runs a service's real app for a test: its lifespan, and a client."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import httpx2 as httpx
from fastapi import FastAPI

from xget_telemetry import logs
from xget_web.serve import lifespan_of, serve

LOOPBACK = "http://127.0.0.1"


@asynccontextmanager
async def running(
    app: FastAPI, *, token: str | None = None, base_url: str = LOOPBACK, raise_errors: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """The app with its lifespan run, and a client that calls it in process; `token` is sent as the bearer.

    Answers are read whole: for endless ones (SSE) use `serving`.
    """
    logs.configure("test")
    transport = httpx.ASGITransport(app, raise_app_exceptions=raise_errors)
    async with lifespan_of(app), httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        if token is not None:
            client.headers["Authorization"] = f"Bearer {token}"
        yield client


@asynccontextmanager
async def serving(app: FastAPI, *, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Like `running`, over a real loopback socket on a free port; `client.base_url` names it."""
    logs.configure("test")
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, on_ready=port.set_result))
    try:
        base_url = f"{LOOPBACK}:{await _port_of(server, port)}"
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False, timeout=60) as client:
            yield client
    finally:
        stop.set()
        await server


async def _port_of(server: "asyncio.Task[None]", port: "asyncio.Future[int]") -> int:
    waiting: set[asyncio.Future[Any]] = {server, port}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if server.done():
        await server
    return port.result()


@contextmanager
def serving_in_thread(app: FastAPI) -> Iterator[str]:
    """The app on a free loopback port in a thread with its own loop, for synchronous tests; gives its base URL."""
    logs.configure("test")
    ready = threading.Event()
    ports: list[int] = []
    failures: list[BaseException] = []
    stops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    async def main() -> None:
        stop = asyncio.Event()
        stops.append((asyncio.get_running_loop(), stop))
        await serve(app, "127.0.0.1", 0, stop, on_ready=on_ready)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 -- handed to the test's own thread
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        ready.wait(60)
        if failures:
            raise failures[0]
        yield f"{LOOPBACK}:{ports[0]}"
    finally:
        with suppress(RuntimeError):
            loop, stop = stops[0]
            loop.call_soon_threadsafe(stop.set)
        thread.join(60)
