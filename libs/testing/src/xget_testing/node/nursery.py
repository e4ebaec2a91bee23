"""Children that need not import anything: they are forked from a process that has done so, and never did more.

A trial that kills a process again and again would spend most of its time on imports. What such a child does from its
first line on, what it holds and how it dies is that of a program started anew.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final, Protocol

PRELOADED: Final = (
    "xget_cli.main",
    "xget_cli.commands.up",
    "xget_cli.commands.cluster",
    "xget_cli.commands.sandbox",
    "xget_cli.commands.single",
    "xget_standalone.cluster.supervisor",
    "xget_standalone.runner",
    "xget_standalone.single",
    "xget_standalone.migration.run",
    *(f"xget_{name}.app" for name in ("auth", "account", "proxy", "scraper", "processing", "storage")),
    *(f"xget_{name}.worker" for name in ("proxy", "scraper", "processing", "storage")),
    "xget_sources.x.x_source",
    "xget_sandbox.main",
    __name__,
)


class Child(Protocol):
    """What `Process` needs of one; `subprocess.Popen` has it."""

    stdout: IO[str] | None

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def kill(self) -> None: ...


def program(command: Sequence[str], cwd: Path, env: dict[str, str], log: Path) -> Child:
    """A program of its own; its errors go to `log`."""
    with log.open("a") as errors:
        return subprocess.Popen(  # noqa: S603 - our own command, no shell
            list(command), cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=errors, text=True
        )


def forked(command: Sequence[str], cwd: Path, env: dict[str, str], log: Path) -> Child:
    """The same of a Python script and its arguments, forked from a process that has imported all of XGet."""
    script = list(command[1:] if command[0] == sys.executable else command)
    return _Forked(script, cwd, env, log)


class _Forked:
    def __init__(self, script: list[str], cwd: Path, env: dict[str, str], log: Path) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_become, args=(script, cwd, env, log, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.stdout: IO[str] | None = os.fdopen(os.dup(ours.fileno()), "r", encoding="utf-8")
        ours.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None  # it was started
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None and self._process.pid is not None:
            os.kill(self._process.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _become(script: list[str], cwd: Path, env: dict[str, str], log: Path, out: Connection) -> None:
    """Run the script as if Python had been started with it."""
    os.chdir(cwd)
    with log.open("ab") as errors:
        become(script, env, (0, out.fileno(), errors.fileno()))
    out.close()
    sys.path.insert(0, str(Path(script[0]).parent))
    runpy.run_path(script[0], run_name="__main__")


def become(argv: list[str], env: dict[str, str], streams: tuple[int, int, int]) -> None:
    """Take on arguments, environment and the three standard streams."""
    os.environ.clear()
    os.environ.update(env)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(fd, "w", closefd=False), line_buffering=True) for fd in (1, 2))
    sys.argv = argv
