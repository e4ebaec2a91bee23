"""A toy engine in sets of their own: what holds for every server, without the time that a real one takes to start."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from engines.engine import LOOPBACK, Engine, ask
from engines.kinds import KINDS
from engines.sets import EngineSet

SERVER = """
import pathlib, socket, subprocess, sys
port, data = int(sys.argv[1]), pathlib.Path(sys.argv[2])
if (data / "broken").exists():
    sys.exit("the toy is broken")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(data / "child").write_text(str(child.pid))
server = socket.create_server(("127.0.0.1", port))
while True:
    line, _ = server.accept()
    line.sendall(b"toy")
    line.close()
"""


class Toy(Engine):
    """Answers "toy" to everybody and has one child."""

    name = "toy"
    ready_seconds = 120

    def install(self) -> None:
        """It is here already."""

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, "-c", SERVER, str(self.port), str(self.data)]

    def ready(self) -> bool:
        return ask(self.port, b"?") == b"toy"

    def url(self) -> str:
        return f"toy://user:{self.password}@{LOOPBACK}:{self.port}"


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineSet]:
    """A new set that knows only the toy."""
    for name in list(KINDS):
        monkeypatch.delitem(KINDS, name)
    monkeypatch.setitem(KINDS, "toy", Toy)
    group = EngineSet(f"trial-{uuid.uuid4().hex[:12]}")
    yield group
    group.remove()
