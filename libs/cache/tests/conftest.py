"""Houses on both engines, and a Valkey of one's own to kill."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from xget_cache.house import CacheHouse
from xget_cache.opening import open_cache
from xget_kernel.engines import EngineSettings
from xget_kernel.ids import new_id


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OwnValkey:
    """The shared engine's program, run once more for one test."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self.bus = 0
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, *options: str) -> None:
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder), "--save", ""]
        self._process = subprocess.Popen([self._program, *place, *options], stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - takes a millisecond
        for _ in range(3000):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise AssertionError("valkey-server does not listen")

    async def start_as_cluster(self, first: int = 0, last: int = 16383, *, beside: "OwnValkey | None" = None) -> None:
        """A node that has these slots, and joins the one `beside` it; ready when all slots are somewhere."""
        self.bus = free_port()
        bus = ("--cluster-port", str(self.bus), "--cluster-config-file", f"{self.port}.conf")
        await self.start("--cluster-enabled", "yes", *bus)
        async with Redis.from_url(self.url) as client:
            await client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
            if beside:
                await client.execute_command("CLUSTER MEET", "127.0.0.1", beside.port, beside.bus)
            elif (first, last) != (0, 16383):
                return
            for _ in range(1200):
                if "'cluster_state': 'ok'" in str(await client.execute_command("CLUSTER INFO")):
                    return
                await asyncio.sleep(0.05)
        raise AssertionError("the cluster does not form")

    def another(self) -> "OwnValkey":
        return OwnValkey(self._program, self._folder)

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


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
