"""Exits: further proxies with addresses of their own, and the site that tells who asks."""

from __future__ import annotations

import httpx2 as httpx
import pytest

from xget_sandbox.app import Options, Sandbox
from xget_sandbox.errors import SandboxError

ECHO = "http://echo.sandbox.test/"


async def asked(proxy: str) -> dict[str, object]:
    async with httpx.AsyncClient(proxy=proxy, trust_env=False, timeout=60) as client:
        told: dict[str, object] = (await client.get(ECHO)).json()
    return told


async def test_each_exit_has_an_address_of_its_own_and_some_take_turns() -> None:
    async with Sandbox(Options(port=0, posts=0, exits=["http*2", "rotating,transparent"])) as sandbox:
        urls = {name: told["url"] for name, told in sandbox.exits.told()["exits"].items()}
        assert list(urls) == ["http", "http-2", "rotating", "transparent"]
        seen = {name: (await asked(url))["ip"] for name, url in urls.items()}
        assert len(set(seen.values())) == 4
        rotated = {str((await asked(urls["rotating"]))["ip"]) for _ in range(10)}
        assert len(rotated) == 5
        headers = (await asked(urls["transparent"]))["headers"]
        assert isinstance(headers, dict)
        assert {"via", "x-forwarded-for"} <= headers.keys()
        assert (await asked(sandbox.proxy_url))["ip"] == "203.0.113.1"


async def test_exits_go_down_and_up() -> None:
    async with Sandbox(Options(port=0, posts=0, exits=["http"])) as sandbox:
        control = f"{sandbox.proxy_url}/__sandbox__/exits"
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            assert (await client.post(control, json={"down": ["http"]})).json()["exits"]["http"]["down"] is True
            with pytest.raises(httpx.HTTPError):
                await asked(sandbox.exits.url("http"))
            assert (await client.post(control, json={})).json()["exits"]["http"]["down"] is False
            assert (await client.post(control, json={"down": ["none"]})).status_code == 400
        assert (await asked(sandbox.exits.url("http")))["ip"]


@pytest.mark.parametrize("wanted", ["ftp", "http*0", "http*x", "drop*1000"])
def test_exits_that_there_are_not_are_named(wanted: str) -> None:
    with pytest.raises(SandboxError, match="is no exit"):
        Sandbox(Options(port=0, posts=0, exits=[wanted]))
