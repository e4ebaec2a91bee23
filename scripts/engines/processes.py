"""Processes by pid and start time, so that a number given to somebody else is never touched."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
MARK = "XGET_ENGINE_FOLDER"
"""Variable in the environment of every server that we start; it proves whose it is even when its state is lost."""


@dataclass(frozen=True)
class Process:
    """One process: the pid alone may be reused, both together may not."""

    pid: int
    started: str


def look_up(pid: int) -> Process | None:
    """The process that has this pid now; None when there is none or only its exit code is left."""
    if pid <= 0:
        return None
    if (PROC / "self").exists():
        fields = _stat(pid)
        return Process(pid, fields[19]) if fields and fields[0] not in "ZX" else None
    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return Process(pid, started.strip()) if started and not state.startswith("Z") else None


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    return look_up(process.pid) == process


def tree(root: Process) -> list[Process]:
    """A process and its descendants and group, the root first; empty when it has gone."""
    if not alive(root):
        return []
    parents, groups = _relations()
    found = [root.pid, *(pid for pid, group in groups.items() if group == root.pid and pid != root.pid)]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid and child not in found)
    return [p for pid in found if (p := look_up(pid))]


def marked(folder: Path) -> list[Process]:
    """Processes that were started for this folder, whatever its state file says. Only where there is /proc."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for path in PROC.glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes().split(b"\0"):
                found.append(look_up(int(path.parent.name)))
    return [p for p in found if p]


def end(root: Process, gentle: signal.Signals, patience: float) -> None:
    """Ask a process to end, wait, and kill what is left of it and its children."""
    family = tree(root)
    if not family:
        return
    _send([root], gentle)
    deadline = time.monotonic() + patience
    while alive(root) and time.monotonic() < deadline:
        time.sleep(0.05)
    kill(family)


def kill(family: Iterable[Process]) -> None:
    """SIGKILL these processes and wait until none is left."""
    family = list(family)
    _send(family, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(alive(p) for p in family) and time.monotonic() < deadline:
        time.sleep(0.02)


def _send(family: Iterable[Process], number: signal.Signals) -> None:
    for process in family:
        if alive(process):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on."""
    try:
        return (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _relations() -> tuple[dict[int, int], dict[int, int]]:
    """Parent and group of every process."""
    if (PROC / "self").exists():
        rows = [[p.name, *_stat(int(p.name))[1:3]] for p in PROC.iterdir() if p.name.isdigit()]
    else:
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid="], capture_output=True, text=True, check=False)
        rows = [line.split() for line in shown.stdout.splitlines()]
    known = [[int(cell) for cell in row] for row in rows if len(row) == 3]
    return {pid: parent for pid, parent, _ in known}, {pid: group for pid, _, group in known}
