"""Many short runs of the command line at once, each in a process of its own, at the price of one load.

`python -m xget_testing.many_starts FOLDER` loads what `xget` loads, forks once for each run that standard input names,
and prints how each ended. Nothing of a run reaches another: its environment, streams and end are its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from xget_testing.node import clean_env

SECONDS: Final = 160.0
"""A run that has not ended by then is killed, and counts as ended by signal 9."""
_LOADED: Final = (
    "xget_cli.main",
    "xget_cli.commands.up",
    "xget_cli.commands.single",
    "xget_cli.commands.doctor",
    "xget_standalone.runner",
    "xget_standalone.single",
    "xget_standalone.gateway.serving",
    "xget_standalone.doctor.checkup",
    "xget_events.kafka",
    "xget_storage.adapters.stores",
    *(f"xget_{name}.app" for name in ("auth", "account", "proxy", "scraper", "processing", "storage")),
    *(f"xget_{name}.worker" for name in ("proxy", "scraper", "processing", "storage")),
    *(f"xget_standalone.probes.{name}" for name in ("tables", "documents", "search", "events", "cache")),
)


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended. `code` is negative for a signal."""

    code: int
    seconds: float
    out: str
    err: str


class Run(msgspec.Struct, frozen=True):
    """One command line and what its environment has beside a clean one."""

    command: list[str]
    env: dict[str, str] = {}


def outcomes(runs: Mapping[str, Run], folder: Path, *, at_once: int = 8) -> dict[str, Outcome]:
    """Run all and wait for all; what they print is kept in `folder`."""
    command = [sys.executable, "-m", "xget_testing.many_starts", str(folder), str(at_once)]
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, env=clean_env(), input=msgspec.json.encode(runs), stdout=subprocess.PIPE, check=True
    )
    return msgspec.json.decode(done.stdout, type=dict[str, Outcome])


class _Child:
    def __init__(self, run: Run, place: Path) -> None:
        place.mkdir(parents=True)
        self._place = place
        self._began = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            _become(run, place)

    def ended(self) -> Outcome | None:
        """How it ended, None while it runs."""
        took = time.monotonic() - self._began
        found, status = os.waitpid(self.pid, os.WNOHANG)
        if not found and took > SECONDS:
            os.kill(self.pid, signal.SIGKILL)
            found, status = os.waitpid(self.pid, 0)
        if not found:
            return None
        said = [(self._place / name).read_text("utf-8", "replace") for name in ("out", "err")]
        return Outcome(os.waitstatus_to_exitcode(status), took, *said)


def _become(run: Run, place: Path) -> None:
    """The rest of this process is the run."""
    code = 1
    try:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(place)
        os.environ.update(run.env)
        sys.argv = ["xget", *run.command]
        import_module("xget_cli.main").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _all(runs: Sequence[tuple[str, Run]], folder: Path, at_once: int) -> dict[str, Outcome]:
    waiting, running, ended = list(reversed(runs)), dict[str, _Child](), dict[str, Outcome]()
    while waiting or running:
        while waiting and len(running) < at_once:
            name, run = waiting.pop()
            running[name] = _Child(run, folder / str(len(runs) - len(waiting)))
        for name, child in list(running.items()):
            outcome = child.ended()
            if outcome is not None:
                ended[name] = outcome
                del running[name]
        time.sleep(0.02)
    return ended


def _main(folder: str, at_once: str) -> None:
    for name in _LOADED:
        import_module(name)
    runs: Any = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, Run])
    found = _all(list(runs.items()), Path(folder), int(at_once))
    sys.stdout.write(json.dumps({name: msgspec.to_builtins(outcome) for name, outcome in found.items()}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
