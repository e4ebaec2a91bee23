"""Houses on both engines, and a Valkey of one's own to kill."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from xget_cache.house import CacheHouse
from xget_cache.opening import open_cache
from xget_kernel.engines import EngineSettings
from xget_kernel.ids import new_id
from xget_testing.valkey import OwnValkey


def settings_for(url: str | None, prefix: str = "xget") -> EngineSettings:
    return EngineSettings(redis_url=url, redis_prefix=prefix)


async def forget(url: str, prefix: str) -> None:
    async with Redis.from_url(url) as client:
        async for key in client.scan_iter(match=f"{prefix}:*", count=1000):
            await client.delete(key)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment is no Redis that hangs."""
    for name in ("POOL_WAIT_SECONDS", "CONNECT_SECONDS", "ANSWER_SECONDS", "PING_SECONDS"):
        monkeypatch.setattr(f"xget_cache.redis.connection.{name}", 60.0)


@pytest.fixture
def prefix() -> str:
    return f"test-{new_id()}"


@pytest.fixture
async def redis_house(redis_url: str, prefix: str) -> AsyncIterator[CacheHouse]:
    """On the shared engine, under a prefix of its own."""
    found = await open_cache(settings_for(redis_url, prefix))
    yield found
    await found.close()
    await forget(redis_url, prefix)


@pytest.fixture
async def valkey_program(redis_url: str) -> str:
    async with Redis.from_url(redis_url) as client:
        info = await client.info("server")
    program = str(info.get("executable", ""))
    if not os.path.isfile(program):  # noqa: ASYNC240 - one look
        pytest.skip("the shared engine runs on another machine")
    return program


@pytest.fixture
def valkey(valkey_program: str, tmp_path: Path) -> Iterator[OwnValkey]:
    own = OwnValkey(valkey_program, tmp_path)
    yield own
    own.kill()
