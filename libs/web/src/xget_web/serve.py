"""Runs an app in the current event loop; who calls it owns the signals."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from xget_kernel.errors import StartupError
from xget_web.state import WebState

GRACE_SECONDS = 3
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[int], None] | None = None,
) -> None:
    """Serve until `stop` is set, then answer what runs (at most three seconds) and close the app's lifespan.

    `on_ready` gets the bound port (of use with port 0) when requests are accepted. Several may run in one loop.
    Raises StartupError for a port in use, and whatever the app's lifespan raises.
    """
    listener = bind(host, port)
    with contextlib.closing(listener):
        async with lifespan_of(app):
            await _run(app, listener, stop, on_ready)


async def _run(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, on_ready: Callable[[int], None] | None
) -> None:
    server = _Server(_config(app), on_ready)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        _announce_stop(app)
        server.should_exit = True
        await running


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartupError with the fix when the port is in use or the address is not ours."""
    family, _, _, _, address = _resolve(host, port)
    # Named as TCP, else asyncio leaves Nagle's algorithm on and each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)  # with SO_REUSEADDR a port in use may only show here
    except OSError as error:
        listener.close()
        raise StartupError(_bind_sentence(host, port, error)) from error
    listener.setblocking(False)
    return listener


def lifespan_of(app: ASGIApp) -> AbstractAsyncContextManager[Any]:
    """The app's lifespan as a context manager; nothing for apps that have none."""
    return app.router.lifespan_context(app) if isinstance(app, Starlette) else contextlib.nullcontext()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_ready is not None and sockets:
            self._on_ready(sockets[0].getsockname()[1])


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws="none",
    )


def _announce_stop(app: ASGIApp) -> None:
    state = getattr(getattr(app, "state", None), "xget_web", None)
    if isinstance(state, WebState):
        state.stopping.set()


def _resolve(host: str, port: int) -> Any:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise StartupError(f"The address {host} does not exist here: set XGET_HOST to one of this machine.") from error


def _bind_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use: stop what uses it, or choose others with --port-base or --port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights: choose ports above 1023 with --port-base or --port."
    return f"Cannot listen on {host} port {port} ({error.strerror}): set XGET_HOST to an address of this machine."
