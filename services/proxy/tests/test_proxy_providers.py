"""Providers' lists: only from hosts that the operator allows, over TLS, and nothing is lost when one is bad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_proxy.settings import Settings
from xget_proxy.worker import create_worker
from xget_sandbox.ca import CertificateAuthority
from xget_testing.tokens import TokenMaker

URL = "/api/v1/proxies/providers"
HOST = "lists.example.org"
LIST = "http://u:p@9.9.9.1:80\n9.9.9.2:8080\nhttp://192.168.1.1:80\nnonsense"


class Lists:
    """Serves one answer at https://lists.example.org:<port>/; `head` and `body` are what it says."""

    def __init__(self) -> None:
        self.head = "HTTP/1.1 200 OK"
        self.body = LIST
        self.asked: list[str] = []
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = self.body.encode()
        writer.write(f"{self.head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/list?key=very-secret"


@pytest.fixture
def settings(settings: Settings, ca: CertificateAuthority) -> Settings:
    return settings.model_copy(
        update={"proxy_provider_hosts": f"{HOST}, inside.example.org", "proxy_allow_networks": "127.0.0.1"}
    )


@pytest.fixture
def ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CertificateAuthority:
    authority = CertificateAuthority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture
async def lists(ca: CertificateAuthority, names: dict[str, list[str]]) -> AsyncIterator[Lists]:
    names[HOST] = ["127.0.0.1"]
    lists = Lists()
    server = await asyncio.start_server(lists.handle, "127.0.0.1", 0, ssl=ca.context(HOST))
    lists.port = server.sockets[0].getsockname()[1]
    yield lists
    server.close()
    await server.wait_closed()


async def add(client: httpx.AsyncClient, url: str, **more: Any) -> httpx.Response:
    return await client.post(URL, json={"name": "one", "url": url, **more})


async def refreshed(client: httpx.AsyncClient, provider: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"{URL}/{provider['id']}/refresh")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def counts(provider: dict[str, Any]) -> tuple[int, int, int, int]:
    return provider["added"], provider["removed"], provider["kept"], provider["refused"]


async def test_a_list_is_taken_again_and_again(client: httpx.AsyncClient, lists: Lists, settings: Settings) -> None:
    made = await add(client, lists.url)
    assert made.status_code == 201, made.text
    assert "very-secret" not in made.text
    first = await refreshed(client, made.json())
    assert (counts(first), first["last_error"]) == ((2, 0, 0, 2), None)
    assert f"Host: {HOST}" in lists.asked[0]
    lists.body = "9.9.9.2:8080\n9.9.9.3:80"
    assert counts(await refreshed(client, first)) == (1, 1, 1, 0)
    proxies = {proxy["ip"]: proxy for proxy in (await client.get("/api/v1/proxies")).json()["items"]}
    assert (proxies["9.9.9.1"]["status"], proxies["9.9.9.1"]["error_msg"]) == (
        "INACTIVE",
        "Is no longer on its provider's list.",
    )
    assert proxies["9.9.9.1"]["retired_at"]
    assert (await client.get("/api/v1/proxies/available")).json()["total"] == 2
    lists.body = LIST
    assert counts(await refreshed(client, first)) == (0, 1, 2, 2)
    assert (await client.get(f"/api/v1/proxies/{proxies['9.9.9.1']['id']}")).json()["status"] == "ACTIVE"
    disk = b"".join(path.read_bytes() for path in settings.home.glob("proxy.db*"))
    assert b"very-secret" not in disk
    assert (await client.delete(f"{URL}/{first['id']}")).status_code == 204
    assert (await client.get("/api/v1/proxies/available")).json()["total"] == 0
    assert (await client.get("/api/v1/proxies")).json()["total"] == 3


@pytest.mark.parametrize(
    ("head", "body", "words"),
    [
        ("HTTP/1.1 302 Found\r\nLocation: https://lists.example.org/other", "", "redirects"),
        ("HTTP/1.1 500 Oops", "", "HTTP 500"),
        ("HTTP/1.1 200 OK", "<html>maintenance</html>", "no proxy"),
        ("HTTP/1.1 200 OK", "http://10.0.0.1:80\nhttp://localhost:80", "no proxy"),
        ("HTTP/1.1 200 OK", "x" * 2_100_000, "larger than 2 MB"),
        ("garbage", "", "cannot be reached"),
    ],
)
async def test_a_bad_list_changes_nothing_and_is_told(
    client: httpx.AsyncClient, lists: Lists, head: str, body: str, words: str
) -> None:
    provider = await refreshed(client, (await add(client, lists.url)).json())
    lists.head, lists.body = head, body
    bad = await refreshed(client, provider)
    assert words in bad["last_error"]
    assert "very-secret" not in bad["last_error"]
    assert counts(bad) == counts(provider)
    assert (await client.get("/api/v1/proxies/available")).json()["total"] == 2


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        (f"http://{HOST}/list", "https"),
        ("https://elsewhere.example.org/list", "allowed_host"),
        ("https://user:pass@lists.example.org/", "https"),
        ("https://inside.example.org/", "internal"),
        ("https://127.0.0.1/", "allowed_host"),
        ("file:///etc/passwd", "https"),
        ("https://[::1", "https"),
    ],
)
async def test_a_url_that_lists_may_not_come_from_is_refused(
    client: httpx.AsyncClient, names: dict[str, list[str]], lists: Lists, url: str, rule: str
) -> None:
    names["inside.example.org"] = ["10.0.0.7"]
    answer = await add(client, url)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule), answer.text
    assert lists.asked == []


async def test_a_host_that_moves_inside_is_not_asked(
    client: httpx.AsyncClient, names: dict[str, list[str]], lists: Lists, clock: ManualClock
) -> None:
    provider = (await add(client, lists.url)).json()
    names[HOST] = ["10.0.0.7"]
    clock.advance(31)
    assert "own network" in (await refreshed(client, provider))["last_error"]
    assert lists.asked == []


async def test_providers_are_the_operators_business(
    client: httpx.AsyncClient, app: FastAPI, lists: Lists, tokens: TokenMaker
) -> None:
    provider = (await add(client, lists.url)).json()
    assert (await add(client, lists.url)).status_code == 409
    for role, user, expected in (("analyst", "ada", 403), ("operator", "bob", 404)):
        client.headers["Authorization"] = f"Bearer {tokens.make(user, [role])}"
        assert (await client.delete(f"{URL}/{provider['id']}")).status_code == expected
        assert (await client.post(f"{URL}/{provider['id']}/refresh")).status_code == expected
    assert (await client.get(URL)).json()["total"] == 0


@pytest.mark.slow
async def test_the_worker_reads_lists_that_are_due(
    client: httpx.AsyncClient, lists: Lists, settings: Settings, clock: ManualClock, events: SqliteEventLog
) -> None:
    provider = (await add(client, f"https://{HOST}:9/", every_seconds=60)).json()
    stop = asyncio.Event()
    working = asyncio.create_task(create_worker(settings, log=events, clock=clock).run(stop))
    async with asyncio.timeout(60):
        while not (found := (await client.get(URL)).json()["items"][0])["last_at"]:  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.02)
        stop.set()
        await working
    assert found["id"] == provider["id"]
    assert found["last_error"]
