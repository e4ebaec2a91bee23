"""Proxies that answer garbage, endlessly or slowly: each check ends in time and holds little memory."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from xget_proxy.adapters.http import HttpProbe

pytestmark = pytest.mark.slow
SECONDS, PATIENT_SECONDS = 1.0, 30.0
"""For what never answers, and for what does: a slow machine is no hostile proxy."""
ECHO = "http://127.0.0.1:9/"
"""Nobody is there without a proxy, which shows at once."""
AT_ONCE = 16
MOST_MB = 40
OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = b"Content-Length: 999999999999\r\n\r\n"
HOSTILE = {
    "garbage": (b"", os.urandom(16_384), 0.0),
    "headers": (OK, b"X-Filler: " + b"a" * 4096 + b"\r\n", 0.0),
    "one header": (OK + b"X-Filler: ", b"a" * 16_384, 0.0),
    "hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, 0.0),
    "drip": (OK, b"X", 0.05),
    "nothing": (b"", b"", 0.05),
    "loop": (b"HTTP/1.1 302 Found\r\nLocation: http://site.test/\r\nContent-Length: 0\r\n\r\n", b"", 0.05),
    "bomb": (OK + b"Content-Encoding: gzip\r\n" + ENDLESS, gzip.compress(bytes(8_000_000)), 0.0),
    "body": (OK + ENDLESS, bytes(65_536), 0.0),
}


@asynccontextmanager
async def saying(first: bytes, again: bytes, pause: float) -> AsyncIterator[int]:
    """A server that never stops of itself."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())  # type: ignore[arg-type]  # there is one: asyncio made it for this
        try:
            await reader.read(1)
            writer.write(first)
            while True:
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(pause)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def resident_mb() -> float:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest.mark.parametrize("site", ["http://site.test/", "https://site.test/"])
async def test_a_check_of_a_hostile_proxy_ends_and_holds_little(scheme: str, site: str) -> None:
    hurried, patient = (HttpProbe(site, seconds, ECHO) for seconds in (SECONDS, PATIENT_SECONDS))
    before = resident_mb()
    for name, (first, again, pause) in HOSTILE.items():
        if (scheme, site[:5]) != ("http", "http:") and name not in ("garbage", "headers", "nothing", "body"):
            continue
        harmless = (scheme, site[:5]) == ("http", "http:") and name in ("loop", "bomb", "body")
        probe = patient if harmless else hurried
        async with saying(first, again, pause) as port, asyncio.timeout(120):
            found = await asyncio.gather(*(probe(f"{scheme}://127.0.0.1:{port}") for _ in range(AT_ONCE)))
        for result in found:
            assert result.ok == harmless, (name, result.reason)
            assert result.exit is None
            assert result.ok or (result.reason.endswith(".") and len(result.reason) < 200), name
        assert resident_mb() - before < MOST_MB, name
