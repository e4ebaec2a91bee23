"""A place in memory for what tests write: they wait for the disk more than for anything else, and keep nothing.

What dies in a trial is a process, never the machine: what it has written is as safe here as on a disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - the folders in it are our own
ROOM = 6 * 2**30
"""Bytes that have to be free in it, and as much again in the machine's memory; a run writes about two."""
PREFIX = f"xget-tests-{os.geteuid()}-"


@contextmanager
def folder() -> Iterator[Path | None]:
    """A folder in memory, removed at the end; None where there is no room."""
    _sweep()
    made = MEMORY / f"{PREFIX}{os.getpid()}"
    try:
        if not _roomy():
            yield None
            return
        made.mkdir()
        made.chmod(0o755)  # some servers run as another user
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _roomy() -> bool:
    try:
        if os.statvfs(MEMORY).f_flag & os.ST_NOEXEC or not os.access(MEMORY, os.W_OK):
            return False  # Elasticsearch unpacks what it runs
        if shutil.disk_usage(MEMORY).free < ROOM:
            return False
        known = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        return int(known["MemAvailable"].split()[0]) * 1024 >= 2 * ROOM
    except (OSError, KeyError, ValueError):
        return False


def _sweep() -> None:
    """Remove what runs have left that were killed."""
    for left in MEMORY.glob(f"{PREFIX}*"):
        with suppress(ValueError):
            if not Path("/proc", str(int(left.name.removeprefix(PREFIX)))).exists():
                shutil.rmtree(left, ignore_errors=True)
