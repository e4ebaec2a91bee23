"""Connections whose SOCKS5 greeting fails are closed at once, whoever asked through them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import psutil
import pytest

from xget_kernel.clock import ManualClock
from xget_sources.connections import Connections

Greets = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def _no_method(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(3)
    writer.write(b"\x05\xff")


async def _refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(3)
    writer.write(b"\x05\x00")
    await reader.read(300)
    writer.write(b"\x05\x02\x00\x01" + bytes(6))


async def _silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    return


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Greets], Awaitable[int]]]:
    servers: list[asyncio.Server] = []

    async def begin(greets: Greets) -> int:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await greets(reader, writer)
            await reader.read()  # until the other side closes, and no sooner
            writer.close()

        servers.append(await asyncio.start_server(handle, "127.0.0.1", 0))
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield begin
    for server in servers:
        server.close()
        await server.wait_closed()


def _open_to(port: int) -> int:
    ours = psutil.Process().net_connections("tcp")
    return sum(1 for one in ours if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED)


@pytest.mark.parametrize("greets", [_garbage, _no_method, _refused, _silent])
async def test_no_socket_is_left_open_by_a_greeting_that_fails(
    greets: Greets, serve: Callable[[Greets], Awaitable[int]]
) -> None:
    port, connections = await serve(greets), Connections(ManualClock())
    proxy = f"socks5://127.0.0.1:{port}"
    kept = []  # the errors hold on to what the collector would close
    for _ in range(5):
        client = await connections.take("anna", proxy)
        with pytest.raises((httpx.HTTPError, TimeoutError)) as failed:
            async with asyncio.timeout(0.05 if greets is _silent else 60):
                await client.get("http://x.invalid/")
        assert isinstance(failed.value, TimeoutError if greets is _silent else httpx.ProxyError)
        kept.append(failed.value)
        await connections.give_back("anna", proxy, client)
    await asyncio.sleep(0.01)
    assert len(kept) == 5
    assert _open_to(port) == 0
    await connections.close()
