"""What is known of one running engine, in one JSON file; a file that cannot be read counts as none."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from engines.processes import Process, alive


@dataclass(frozen=True)
class State:
    """Ports and password stay for the life of the data; pid and start time are those of the last start."""

    engine: str
    ports: list[int]
    password: str
    url: str = ""
    pid: int = 0
    started: str = ""

    @property
    def process(self) -> Process:
        """The server as it was started."""
        return Process(self.pid, self.started)

    @property
    def running(self) -> bool:
        """Whether that very process lives."""
        return bool(self.pid) and alive(self.process)

    @classmethod
    def read(cls, folder: Path) -> State | None:
        """The state in an engine's folder; None when there is none or it is damaged."""
        try:
            fields = json.loads((folder / "state.json").read_text("utf-8"))
            state = cls(**fields)
            ints = [state.pid, *state.ports]
            texts = [state.engine, state.password, state.url, state.started]
        except (OSError, ValueError, TypeError):
            return None
        whole = all(type(n) is int for n in ints) and all(type(t) is str for t in texts) and state.ports
        return state if whole else None

    def write(self, folder: Path) -> None:
        """Replace the file in one step; only its owner may read it."""
        write_private(folder / "state.json", json.dumps(asdict(self), indent=1))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)
