"""The forward proxy: CONNECT is upgraded to TLS in place with a minted certificate, plain HTTP is taken too."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from xget_sandbox.ca import CertificateAuthority
from xget_sandbox.control import PREFIX, Control
from xget_sandbox.exits.echo import EXIT_HEADER
from xget_sandbox.http import HEAD_LIMIT, BadRequest, Request, Response, json_response, read_request, text_response
from xget_sandbox.site import HOSTS, Site

DRIPS = 10
STOP_S = 2.0
GOODBYE_S = 1.0


class ProxyServer:
    """Listens on one loopback port. Hosts it does not stand in for are answered 502."""

    def __init__(self, site: Site, control: Control, authority: CertificateAuthority) -> None:
        self.site = site
        self.control = control
        self.authority = authority
        self.port = 0
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1; returns the port. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=HEAD_LIMIT, backlog=512)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        if self._connections:
            await asyncio.wait(list(self._connections), timeout=STOP_S)
        if self._server is not None:
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections[task] = writer
        try:
            await self._converse(reader, writer)
        except BadRequest as error:
            await _write(writer, text_response(f"{error}\n", "text/plain; charset=utf-8", 400))
        except (ConnectionError, ssl.SSLError, TimeoutError):
            writer.transport.abort()
        finally:
            await _close(writer)
            if task is not None:
                self._connections.pop(task, None)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel: str | None = None
        own: dict[str, str] = {}
        while True:
            request = await read_request(reader, tunnel)
            if request is None:
                writer.transport.abort()
                return
            if request.method == "CONNECT" and request.host in HOSTS and tunnel is None:
                tunnel = request.host
                own = {name: value for name, value in request.headers.items() if name == EXIT_HEADER}
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.start_tls(self.authority.context(tunnel))
                continue
            request.headers.update(own)
            response = self._respond(request)
            await _write(writer, response)
            if response.drop or request.headers.get("connection", "").lower() == "close":
                return

    def _respond(self, request: Request) -> Response:
        if not request.host:
            if request.path.startswith(PREFIX):
                return self.control.answer(request)
            return json_response({"error": "This is a forward proxy; its own pages are under /__sandbox__/."}, 404)
        if request.host not in HOSTS:
            return text_response(f"No such host offline: {request.host}\n", "text/plain; charset=utf-8", 502)
        return self.site.answer(request)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Say goodbye; who does not answer within a second is cut off (TLS waits for the other side's goodbye)."""
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), GOODBYE_S)
    writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, response: Response) -> None:
    if response.drop:
        writer.write(response.head() + response.body[: len(response.body) // 2])
        await writer.drain()
        writer.transport.abort()
        return
    if response.seconds:
        await _drip(writer, response)
        return
    writer.write(response.head() + response.body)
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter, response: Response) -> None:
    """The body in ten pieces over its seconds."""
    writer.write(response.head())
    step = max(1, -(-len(response.body) // DRIPS))
    for start in range(0, len(response.body), step):
        await asyncio.sleep(response.seconds / DRIPS)
        if writer.is_closing():
            return
        writer.write(response.body[start : start + step])
        await writer.drain()
