"""Checks really connect: through HTTP, CONNECT with TLS and SOCKS5, to servers on loopback."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xget_contracts.events import PROXY_EVENTS, ProxyChanged
from xget_events.codec import decode
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_proxy.adapters.http import HttpProbe
from xget_proxy.settings import Settings
from xget_proxy.worker import create_worker

pytestmark = pytest.mark.slow

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
URL = "/api/v1/proxies"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WANTS_LOGIN = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Patient, unless a test waits for the patience to end: it says how long that is."""
    seconds = getattr(request, "param", settings.proxy_check_seconds)
    return settings.model_copy(update={"proxy_check_seconds": seconds})


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        finally:
            writer.close()

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


def answering(answer: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return handle


def with_login(expected: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(GOOD if expected in request else WANTS_LOGIN)
        await writer.drain()

    return handle


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GOOD)
    await writer.drain()
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """SOCKS5 without login, with the site itself behind it."""
    await reader.readexactly(3)
    writer.write(b"\x05\x00")
    head = await reader.readexactly(5)
    await reader.readexactly(head[4] + 2)
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(GOOD)
    await writer.drain()


def tunnel(tls: ssl.SSLContext) -> Handler:
    """CONNECT, then TLS with the site itself behind it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(tls)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GOOD)
        await writer.drain()

    return handle


def site_certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate: its file, and a server context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both, public = folder / "site.pem", folder / "ca.pem"
    both.write_bytes(pem + secret)
    public.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return public, context


async def announced(events: SqliteEventLog, count: int) -> list[ProxyChanged]:
    """The first facts on the topic."""
    records: list[Any] = []
    async with events.consumer("trial", [PROXY_EVENTS]) as consumer, asyncio.timeout(60):
        while len(records) < count:
            records += await consumer.poll(timeout=0.5)
    return [decode(record, ProxyChanged) for record in records]


async def check(client: httpx.AsyncClient, proxy: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"{URL}/check", json={"ids": [proxy["id"]]})
    assert answer.status_code == 200, answer.text
    (line,) = answer.json()["items"]
    result: dict[str, Any] = line
    return result


@pytest.mark.parametrize(
    ("type_", "handler", "reason", "settings"),
    [
        ("http", answering(GOOD), "", 20.0),
        ("http", answering(GOOD.replace(b"200 OK", b"404 No")), "", 20.0),
        ("socks5", socks, "", 20.0),
        ("http", answering(WANTS_LOGIN), "407", 20.0),
        ("http", answering(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n"), "could not reach", 20.0),
        ("http", answering(b"\x00\xffgarbage\r\n\r\n"), "another protocol", 20.0),
        ("http", hang_up, "connection broke", 20.0),
        ("http", silence, "within 1 seconds", 1.0),
        ("https", silence, ".", 1.0),
    ],
    indirect=["settings"],
)
async def test_a_check_records_what_really_happens(
    client: httpx.AsyncClient, add_proxy: Any, type_: str, handler: Handler, reason: str
) -> None:
    async with listening(handler) as port:
        proxy = await add_proxy("127.0.0.1", type=type_, port=port)
        line = await check(client, proxy)
    assert line["ok"] is (reason == "")
    assert reason in line["reason"]
    read = (await client.get(f"{URL}/{proxy['id']}")).json()
    assert read["last_check"] is not None
    assert read["success_rate"] == (1.0 if line["ok"] else 0.0)
    assert (read["latency"] is not None) is line["ok"]
    assert (read["error_msg"] or "") == line["reason"]


# The HTTP library forgets to close its socket when a SOCKS handshake fails; the collector closes it, with this warning.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("handler", [hang_up, chatter])
async def test_what_speaks_no_socks_is_no_socks_proxy(
    client: httpx.AsyncClient, add_proxy: Any, handler: Handler
) -> None:
    async with listening(handler) as port:
        line = await check(client, await add_proxy("127.0.0.1", type="socks5", port=port))
    gc.collect()
    assert not line["ok"]
    assert line["reason"]


async def test_nothing_behind_the_port_is_told(client: httpx.AsyncClient, add_proxy: Any) -> None:
    proxy = await add_proxy("127.0.0.1", port=9)
    assert "nothing answers" in (await check(client, proxy))["reason"]


async def test_the_login_is_sent_and_never_told(client: httpx.AsyncClient, add_proxy: Any) -> None:
    async with listening(with_login(b"dTpodW50ZXIy")) as port:
        good = await add_proxy("127.0.0.1", port=port, username="u", password="hunter2")
        bad = await add_proxy("127.0.0.1", port=port, username="u2", password="hunter2")
        answer = await client.post(f"{URL}/check", json={"all": True})
    outcome = {line["proxy_id"]: line["ok"] for line in answer.json()["items"]}
    assert outcome == {good["id"]: True, bad["id"]: False}
    assert "hunter2" not in answer.text


async def test_tls_through_a_tunnel_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, server = site_certificate(tmp_path, "site.test")
    async with listening(tunnel(server)) as port:
        refused = await HttpProbe("https://site.test/", 30)(f"http://127.0.0.1:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        probe = HttpProbe("https://site.test/", 30)
        accepted = await probe(f"http://127.0.0.1:{port}")
    assert "SSL_CERT_FILE" in refused.reason
    assert accepted.ok, accepted.reason
    assert accepted.latency_ms


async def test_many_are_checked_eight_at_a_time(client: httpx.AsyncClient, add_proxy: Any) -> None:
    running = most = 0
    two = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running > 1:
            two.set()
        with suppress(TimeoutError):  # on a slow machine the second may come late
            await asyncio.wait_for(two.wait(), 10)
        await asyncio.sleep(0.02)
        running -= 1
        await answering(GOOD)(reader, writer)

    async with listening(slow) as port:
        for i in range(20):
            await add_proxy("127.0.0.1", port=port, username=f"u{i}")
        body = (await client.post(f"{URL}/check", json={"all": True})).json()
    assert (body["ok"], body["failed"], body["left"]) == (20, 0, 0)
    assert 2 <= most <= 8


async def test_the_worker_tries_a_paused_proxy_again(
    client: httpx.AsyncClient, add_proxy: Any, settings: Settings, clock: ManualClock, events: SqliteEventLog
) -> None:
    async with listening(answering(GOOD)) as port:
        proxy = await add_proxy("127.0.0.1", port=9)
        for _ in range(3):
            await check(client, proxy)
        url = f"{URL}/{proxy['id']}"
        assert (await client.get(url)).json()["status"] == "INACTIVE"
        clock.advance(61)
        assert (await client.get(url)).json()["status"] == "CHECKING"
        stop = asyncio.Event()
        working = asyncio.create_task(create_worker(settings, log=events, clock=clock).run(stop))
        async with asyncio.timeout(60):
            while (await client.get(url)).json()["status"] != "INACTIVE":  # noqa: ASYNC110 - a row
                await asyncio.sleep(0.02)
            await client.put(url, json={"port": port})
            assert (await client.get(url)).json()["status"] == "ACTIVE"
            stop.set()
            await working
    (fact,) = await announced(events, 1)
    assert (fact.kind, fact.subject_id, fact.owner_id) == ("paused", proxy["id"], "ada")
    assert fact.until is not None
