"""Looking after browsers that logins start: their processes, their folders, and who is told of steps."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from xget_sources.browser import tree


async def untold(step: str) -> None:
    """An `OnStep` for logins whose steps nobody writes down."""


def command_of(pid: int) -> str:
    """A process's command line; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""


def folders_of(pid: int) -> list[Path]:
    """Folders of browsers that a worker has started."""
    return list(Path(tempfile.gettempdir()).glob(f"xget-browser-{pid}-*"))


def of_login(pid: int) -> bool:
    """Whether a process is a login's browser, or part of it, or drives it."""
    command = command_of(pid)
    return "xget-browser-" in command or "adapters.login.child" in command


def around(pid: int) -> set[int]:
    """Processes of a worker's browsers, whoever is their parent by now: they name the folder, or were given it."""
    sought = f"xget-browser-{pid}-".encode()
    entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return {
        int(entry.name) for entry in entries if any(sought in _read(entry / name) for name in ("cmdline", "environ"))
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def left_below() -> list[int]:
    """Processes of logins that this process's own workers have not freed."""
    return [pid for pid in tree.members(os.getpid()) if of_login(pid)]
