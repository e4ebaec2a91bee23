"""A browser's way through a SOCKS5 proxy that wants a password, without the browser."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from xget_sandbox.app import Options, Sandbox
from xget_sources.browser.relay import needs_relay, relayed


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(Options(port=0, posts=20, ca_file=tmp_path / "ca.pem", exits=("socks5",))) as sandbox:
        yield sandbox


async def asked(proxy: str, tmp_path: Path) -> int:
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    async with httpx.AsyncClient(proxy=proxy, verify=trusting, trust_env=False, timeout=60) as client:
        return (await client.get("https://x.com/i/flow/login")).status_code


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("socks5://user:secret@127.0.0.1:1080", True),
        ("socks5h://user:secret@[::1]:1080", True),
        ("socks5://127.0.0.1:1080", False),
        ("http://user:secret@127.0.0.1:3128", False),
    ],
)
def test_only_a_socks5_proxy_with_a_password_needs_it(url: str, needed: bool) -> None:
    assert needs_relay(url) is needed


async def test_pages_come_through_it_and_nobody_else_may_use_it(sandbox: Sandbox, tmp_path: Path) -> None:
    async with relayed(sandbox.exits.url("socks5")) as proxy:
        assert "secret" not in proxy
        assert await asked(proxy, tmp_path) == 200
        for stranger in ("", "browser:guessed@"):
            other = f"http://{stranger}127.0.0.1:{urlsplit(proxy).port}"
            with pytest.raises(httpx.ProxyError, match="407"):
                await asked(other, tmp_path)
    with pytest.raises(httpx.ConnectError):
        await asked(proxy, tmp_path)


@pytest.mark.parametrize("other", [("secret", "wrong"), ("127.0.0.1", "127.0.0.1:9/#")])
async def test_a_proxy_that_refuses_or_is_gone_is_said_to_be_so(sandbox: Sandbox, tmp_path: Path, other) -> None:
    async with relayed(sandbox.exits.url("socks5").replace(*other)) as proxy:
        with pytest.raises(httpx.ProxyError, match="502"):
            await asked(proxy, tmp_path)
