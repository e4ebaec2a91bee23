"""Requests of several people to one app, and who they are."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import httpx2 as httpx
import pytest

from xget_testing.tokens import TokenMaker

Person = Callable[..., Awaitable[httpx.Response]]
PEOPLE = frozenset({"ada", "bob", "eve", "ida", "root"})
"""The users there are."""


async def nobody_else(user_ids: Collection[str]) -> set[str]:
    """Those of some ids that are none of `PEOPLE`: what an app takes as `unknown`."""
    return {*user_ids} - PEOPLE


@pytest.fixture
def ask(client: httpx.AsyncClient, tokens: TokenMaker) -> Person:
    """`await ask("bob", "GET", path)`: one request of somebody, an operator unless `role` says otherwise."""

    async def call(who: str, method: str, path: str, *, role: str = "operator", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {tokens.make(who, [role])}"}
        return await client.request(method, path, headers=headers, **options)

    return call
