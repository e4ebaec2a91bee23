"""Runs `xget cluster` with processes that are forked from it, and so need not import what it has imported already.

A script for `forked`: a trial that starts and kills the processes of a cluster would spend most of its time on imports.
Each is a process of its own from there on: session, signals, environment, streams and random numbers are its own, and
nothing else of the supervisor's is open in it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import runpy
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import IO, NoReturn

from xget_testing.node.nursery import become


class Hatched:
    """What the supervisor needs of an `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, lifeline: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = os.fdopen(lifeline, "wb", buffering=0)
        self.stdout = asyncio.StreamReader()
        self._ended = asyncio.Event()

    async def watch(self, out: int) -> None:
        """Read what it prints, and learn of its end."""
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self.stdout), os.fdopen(out, "rb"))
        handle = os.pidfd_open(self.pid)
        loop.add_reader(handle, self._reap, handle)

    async def wait(self) -> int:
        """The exit code; minus the number of the signal that killed it."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing when it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _reap(self, handle: int) -> None:
        asyncio.get_running_loop().remove_reader(handle)
        os.close(handle)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set()


async def hatch(*command: str, env: dict[str, str], stderr: IO[bytes], **_options: object) -> Hatched:
    """In the place of `asyncio.create_subprocess_exec`."""
    (theirs_in, ours_in), (ours_out, theirs_out) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        live(command, env, (theirs_in, theirs_out, stderr.fileno()))
    os.close(theirs_in)
    os.close(theirs_out)
    hatched = Hatched(pid, ours_in)
    await hatched.watch(ours_out)
    return hatched


def live(command: Sequence[str], env: dict[str, str], streams: tuple[int, int, int]) -> NoReturn:
    """The life of a forked process. The supervisor's frames stay below it, so that none of their objects is closed."""
    code: object = 1
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asyncio._set_running_loop(None)
        random.seed()
        _, *script = command
        become(script, env, streams)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        if script[0] == "-m":
            sys.argv = script[1:]
            runpy.run_module(script[1], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script[0], run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as Python does at the end of a program
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def hatch_children() -> None:
    """Have the supervisor, which this process is about to be, fork its processes."""
    asyncio.create_subprocess_exec = hatch  # type: ignore[assignment]  # its one way to a process
    gc.freeze()


if __name__ == "__main__":
    hatch_children()
    import_module("xget_cli.main").main()
