"""A process and all that it started: how much memory they use, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


def memory_mb(root: int) -> float:
    """Megabytes of a process and its descendants; pages that several share are counted once (PSS)."""
    return sum(_kilobytes(pid) for pid in members(root)) / 1024


def members(root: int) -> list[int]:
    """The process and its descendants, as they are now."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def kill(root: int, known: set[int] | frozenset[int] = frozenset()) -> None:
    """SIGKILL the process, its group, its descendants and those that were seen below it before."""
    for pid in {*members(root), *known}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(root, signal.SIGKILL)


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def _kilobytes(pid: int) -> int:
    for name, word in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in (PROC / str(pid) / name).read_text().splitlines():
                if line.startswith(word):
                    return int(line.split()[1])
    return 0
