"""A Valkey of one's own to kill."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from xget_testing.node import free_port


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
        self._process = subprocess.Popen([self._program, *place, *options], stdout=subprocess.DEVNULL)  # noqa: ASYNC220, S603 - takes a millisecond, and is the engine's own
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

    async def start_as_cluster(self, first: int = 0, last: int = 16383, *, beside: OwnValkey | None = None) -> None:
        """A node that has these slots, and joins the one `beside` it; ready when all slots are somewhere."""
        self.bus = free_port()
        bus = ("--cluster-port", str(self.bus), "--cluster-config-file", f"{self.port}.conf")
        await self.start("--cluster-enabled", "yes", *bus)
        async with Redis.from_url(self.url) as opened:
            client: Any = opened  # its commands have no types
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

    def another(self) -> OwnValkey:
        return OwnValkey(self._program, self._folder)

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
