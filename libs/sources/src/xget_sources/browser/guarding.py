"""A guard over a browser's process: when whoever wanted the browser is gone, killed or not, it and its folder go too.

Chromium and what drives it are many processes. A parent that is killed by SIGKILL tidies up nothing, and what it
started would live on under another parent, with a folder that nobody removes. So the guard is forked off before
anything else: all that begins below stays below it, whoever of them dies, and it waits for two ends, its owner's and
its charge's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Final

from xget_sources.browser import tree

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
LOOK_EVERY_S: Final = 0.1
PATIENCE_S: Final = 10.0
"""So long what was killed is waited for; a process in the middle of a disk's failure ends later than that."""


def guard(owner: int, folder: Path) -> None:
    """Make the folder, for this user alone, and fork: the child returns, to do the work; the parent is its guard.

    `owner` is the process that started this one. When it or the child has ended, or on SIGTERM, the guard kills all
    that is left below, removes the folder and ends. Call it before threads are there. Raises OSError when the folder
    cannot be made.
    """
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    folder.mkdir(mode=0o700)
    me = os.getpid()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != me:
            os._exit(1)
        return
    for stream in (0, 1):  # the pipes are the child's: they end with it
        os.close(stream)
    while os.getppid() == owner and not told and not _ended(child):
        time.sleep(LOOK_EVERY_S)
    _clear(me)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def keep_watch(owner: int, folder: Path) -> None:
    """Remove a folder once its owner is gone; for an owner whose browser ends by itself then.

    Run as `python -m xget_sources.browser.guarding OWNER FOLDER`, started by the owner.
    """
    while os.getppid() == owner:
        time.sleep(LOOK_EVERY_S)
    until = time.monotonic() + PATIENCE_S
    while folder.exists() and time.monotonic() < until:  # a browser that ends may still write
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(LOOK_EVERY_S)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value)


def _ended(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG)[0] == child


def _clear(me: int) -> None:
    """Kill what is below until nothing is."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and (below := [pid for pid in tree.members(me) if pid != me]):
        for pid in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
        time.sleep(LOOK_EVERY_S / 10)


if __name__ == "__main__":
    keep_watch(int(sys.argv[1]), Path(sys.argv[2]))
