"""A proxy of the browser's own in front of a SOCKS5 proxy that wants a user name and password.

Chromium cannot give those to a SOCKS5 proxy. This listens on the loopback for one browser, as an HTTP proxy with a
password of its own, so that nobody else on the machine can use it. It only passes on tunnels, which is all that pages
over https need.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_urlsafe
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

USER: Final = "browser"
PIECE: Final = 65_536
CONNECT_S: Final = 10.0
PORT: Final = 1080
_WANTS_LOGIN: Final = (
    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="xget"\r\n'
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
_NO: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_YES: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Refused(Exception):
    """The SOCKS5 proxy does not let through."""


def needs_relay(url: str) -> bool:
    """Whether a proxy is one that Chromium cannot log in to."""
    parts = urlsplit(url)
    return parts.scheme.startswith("socks5") and bool(parts.username)


@asynccontextmanager
async def relayed(url: str) -> AsyncIterator[str]:
    """URL of a proxy for the browser, there meanwhile."""
    relay = _Relay(urlsplit(url))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{USER}:{relay.password}@127.0.0.1:{port}"
    finally:
        server.close()
        await relay.close()


class _Relay:
    def __init__(self, upstream: SplitResult) -> None:
        self.password = token_urlsafe(24)
        self._upstream = upstream
        self._wanted = b"Basic " + base64.b64encode(f"{USER}:{self.password}".encode())
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One tunnel."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            await self._tunnel((reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            return  # one of the two is gone, or the browser is
        finally:
            writer.transport.abort()

    async def close(self) -> None:
        """Cut all tunnels."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the loop takes leave of the connections that were cut

    async def _tunnel(self, client: Streams) -> None:
        reader, writer = client
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        given = [line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"proxy-authorization:")]
        if not (given and hmac.compare_digest(given[0], self._wanted)):
            return await _say(writer, _WANTS_LOGIN)
        method, _, rest = first.partition(b" ")
        host, _, port = rest.split(b" ")[0].rpartition(b":")
        if method != b"CONNECT" or not port.isdigit():
            return await _say(writer, _NO)
        try:
            async with asyncio.timeout(CONNECT_S):
                upstream = await self._connected(host, int(port))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, _Refused):
            return await _say(writer, _NO)
        try:
            await _say(writer, _YES)
            await asyncio.gather(_pass_on(reader, upstream[1]), _pass_on(upstream[0], writer))
        finally:
            upstream[1].transport.abort()
        return None

    async def _connected(self, host: bytes, port: int) -> Streams:
        """A way through the SOCKS5 proxy (RFC 1928, 1929); the name is resolved there."""
        parts = self._upstream
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or PORT)
        try:
            user, password = (unquote(text or "").encode() for text in (parts.username, parts.password))
            await _say(writer, b"\x05\x01\x02")
            if await reader.readexactly(2) != b"\x05\x02":
                raise _Refused
            await _say(writer, b"\x01" + _counted(user) + _counted(password))
            if (await reader.readexactly(2))[1] != 0:
                raise _Refused
            await _say(writer, b"\x05\x01\x00\x03" + _counted(host.strip(b"[]")) + port.to_bytes(2, "big"))
            _, code, _, kind = await reader.readexactly(4)
            if code != 0:
                raise _Refused
            await reader.readexactly({1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0])
            await reader.readexactly(2)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer


def _counted(text: bytes) -> bytes:
    """With its length before it. Raises ValueError when it is too long for one byte."""
    return bytes([len(text)]) + text


async def _say(writer: asyncio.StreamWriter, what: bytes) -> None:
    writer.write(what)
    await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        await _say(writer, piece)
    if writer.can_write_eof():
        writer.write_eof()
