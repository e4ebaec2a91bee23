"""The auth service as its app builds it, on a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from fastapi import FastAPI

from xget_auth.app import create_app
from xget_auth.settings import Settings
from xget_kernel.clock import ManualClock
from xget_kernel.secrets import Secret
from xget_testing.apps import running
from xget_testing.database import tables_made, tables_of

__all__ = ["tables_made"]

PASSWORD = "correct horse battery"

Api = Callable[..., Awaitable[httpx.Response]]

database_url = tables_of("xget_auth")


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(home=tmp_path, database_url=Secret(database_url), argon2_memory_kib=8, port=0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app(settings: Settings, clock: ManualClock) -> FastAPI:
    return create_app(settings, clock=clock)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with running(app) as client:
        yield client


@pytest.fixture
def post(client: httpx.AsyncClient) -> Api:
    async def send(path: str, token: str | None = None, **body: Any) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await client.post(f"/api/v1/auth/{path}", json=body or None, headers=headers)

    return send


@pytest.fixture
def get(client: httpx.AsyncClient) -> Api:
    async def send(path: str, token: str | None = None, **query: Any) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await client.get(f"/api/v1/auth/{path}", params=query, headers=headers)

    return send


@pytest.fixture
async def ada(post: Api) -> dict[str, Any]:
    """The administrator's tokens."""
    await post("register", username="ada", password=PASSWORD)
    answer: dict[str, Any] = (await post("login", username="ada", password=PASSWORD)).json()
    return answer
