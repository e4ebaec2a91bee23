"""What each engine tells: how to install, prepare, start and ask it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from engines.errors import EngineError
from engines.places import User, servant

LOOPBACK = "127.0.0.1"


class Engine(ABC):
    """One engine of one set. `folder` is its own, `data` and all below is written by the server."""

    name: ClassVar[str]
    ports_needed: ClassVar[int] = 1
    refuses_root: ClassVar[bool] = False
    on_demand: ClassVar[bool] = False
    """Started only by its name."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20
    ready_seconds: ClassVar[float] = 60

    def __init__(self, folder: Path, ports: list[int], password: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.port = ports[0]
        self.ports = ports
        self.password = password

    @abstractmethod
    def install(self) -> None:
        """Fetch what is missing; costs nothing the second time. Raises EngineError."""

    @abstractmethod
    def prepare(self) -> None:
        """Bring the data folder into the state in which the server starts; called before every start."""

    @abstractmethod
    def command(self) -> list[str]:
        """The server in the foreground."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether it answers, by its own protocol. May raise OSError for "not yet"."""

    @abstractmethod
    def url(self) -> str:
        """What clients are given."""

    def environment(self) -> dict[str, str]:
        """Variables beside those of the caller."""
        return {}

    @property
    def user(self) -> User | None:
        """Who the server runs as; None for the caller."""
        return servant() if self.refuses_root else None

    def give_away(self, path: Path) -> None:
        """Hand a path and all below it to the user that the server runs as."""
        if self.user:
            for one in [path, *path.rglob("*")]:
                os.chown(one, self.user.uid, self.user.gid, follow_symlinks=False)

    def step(self, command: list[str], *, stdin: str | None = None, failure: str) -> None:
        """Run a tool of the engine to its end, as the user of the server. Raises EngineError with what it said."""
        user = self.user
        result = subprocess.run(
            command,
            input=stdin,
            cwd=self.data,
            capture_output=True,
            text=True,
            check=False,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
        if result.returncode:
            raise EngineError(f"{failure}: {(result.stdout + result.stderr).strip()[-800:]}")


def ask(port: int, question: bytes, *, size: int = 64) -> bytes:
    """Send bytes to a loopback port and return the start of the answer; OSError when nobody answers."""
    with socket.create_connection((LOOPBACK, port), timeout=2) as line:
        line.sendall(question)
        return line.recv(size)


def wait_until(holds: Callable[[], bool], *, seconds: float) -> bool:
    """Look until something holds or the time is over; whether it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
