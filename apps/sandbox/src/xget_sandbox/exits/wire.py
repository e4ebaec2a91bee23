"""How the kinds of proxies speak with who comes: each ends with bytes going both ways to the sandbox."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Final

from xget_sandbox.exits.echo import EXIT_HEADER
from xget_sandbox.http import HEAD_LIMIT

_PIECE: Final = 65_536
_OK: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_WANTS_LOGIN: Final = (
    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="exit"\r\n'
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
_CLIENT: Final = "198.51.100.77"
"""The address that a transparent exit says its client has."""


@dataclass(frozen=True)
class Manner:
    """What an exit does beyond passing on. `cut` is how many bytes of answers it passes on before it breaks off."""

    login: tuple[str, str] | None = None
    transparent: bool = False
    via: bool = False
    cut: int | None = None
    delay: float = 0.0


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def http_proxy(client: Streams, port: int, address: str, manner: Manner) -> None:
    """An HTTP proxy in front of the sandbox at `port`, whose exit has `address`."""
    reader, writer = client
    head = await reader.readuntil(b"\r\n\r\n")
    if manner.login is not None and _login(manner.login) not in head:
        writer.write(_WANTS_LOGIN)
        await writer.drain()
        return
    if manner.delay:
        await asyncio.sleep(manner.delay)
    first, _, rest = head.partition(b"\r\n")
    kept = [line for line in rest.split(b"\r\n") if line and not line.lower().startswith((b"proxy-", b"connection:"))]
    plain = [] if first.startswith(b"CONNECT ") else [*_added(manner), b"Connection: close"]
    own = f"{EXIT_HEADER}: {address}".encode()
    await _pass_on(client, port, b"\r\n".join([first, *kept, *plain, own, b"", b""]), manner)


async def socks5_proxy(client: Streams, port: int, address: str, manner: Manner) -> None:
    """A SOCKS5 proxy (RFC 1928, 1929): with TLS inside it becomes a tunnel, without it the request is made absolute."""
    reader, writer = client
    if not await _greeted(reader, writer, manner.login):
        return
    _, command, _, kind = await reader.readexactly(4)
    length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
    name = (await reader.readexactly(length)).decode("latin-1")
    target = int.from_bytes(await reader.readexactly(2), "big")
    if command != 1 or kind != 3:
        writer.write(b"\x05\x07\x00\x01" + bytes(6))
        await writer.drain()
        return
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    await writer.drain()
    own = f"{EXIT_HEADER}: {address}\r\n".encode()
    if target == 443:
        await _tunnel(client, port, f"CONNECT {name}:443 HTTP/1.1\r\n".encode() + own + b"\r\n", manner)
        return
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.partition(b" ")
    line, _, headers = rest.partition(b"\r\n")
    absolute = method + b" http://" + name.encode() + line + b"\r\nConnection: close\r\n" + own
    await _pass_on(client, port, absolute + headers.replace(b"Connection: keep-alive\r\n", b""), manner)


async def _greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: tuple[str, str] | None) -> bool:
    version, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    wanted = 0 if login is None else 2
    if version != 5 or wanted not in methods:
        writer.write(b"\x05\xff")
        await writer.drain()
        return False
    writer.write(bytes([5, wanted]))
    if login is None:
        return True
    await writer.drain()
    given = []
    await reader.readexactly(1)
    for _ in range(2):
        given.append((await reader.readexactly((await reader.readexactly(1))[0])).decode())
    good = tuple(given) == login
    writer.write(b"\x01\x00" if good else b"\x01\x01")
    await writer.drain()
    return good


async def _tunnel(client: Streams, port: int, connect: bytes, manner: Manner) -> None:
    """Open a tunnel in the sandbox and keep its answer to that, which a SOCKS client does not expect."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    try:
        writer.write(connect)
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer == _OK:
            await _both_ways(client, (reader, writer), manner)
    finally:
        writer.transport.abort()


async def _pass_on(client: Streams, port: int, head: bytes, manner: Manner) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    try:
        writer.write(head)
        await _both_ways(client, (reader, writer), manner)
    finally:
        writer.transport.abort()


async def _both_ways(client: Streams, server: Streams, manner: Manner) -> None:
    up = asyncio.create_task(_pour(client[0], server[1], None))
    down = asyncio.create_task(_pour(server[0], client[1], manner.cut))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and not down.done():
            await asyncio.wait({down}, timeout=1.0)
        if manner.cut is not None:
            client[1].transport.abort()
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
    left = most
    while left is None or left > 0:
        piece = await source.read(_PIECE)
        if not piece:
            return
        piece = piece if left is None else piece[:left]
        left = None if left is None else left - len(piece)
        sink.write(piece)
        await sink.drain()


def _added(manner: Manner) -> list[bytes]:
    """What a proxy that does not hide adds to a request."""
    via = [b"Via: 1.1 exit.sandbox.test"] if manner.via or manner.transparent else []
    return [*via, f"X-Forwarded-For: {_CLIENT}".encode()] if manner.transparent else via


def _login(login: tuple[str, str]) -> bytes:
    return b"Basic " + base64.b64encode(":".join(login).encode())
