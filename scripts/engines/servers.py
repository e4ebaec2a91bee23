"""Starting one server and waiting for its answer."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from engines.engine import Engine
from engines.errors import EngineError
from engines.processes import MARK, end, look_up


def spawn(engine: Engine) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, so that a Ctrl-C here does not reach it."""
    user = engine.user
    with (engine.folder / "log").open("ab") as log:
        return subprocess.Popen(
            engine.command(),
            cwd=engine.data,
            env={**os.environ, **engine.environment(), MARK: str(engine.folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )


def wait_ready(engine: Engine, server: subprocess.Popen[bytes], cancelled: threading.Event) -> None:
    """Return when the server answers; raise EngineError with the end of its log when it ends or takes too long."""
    deadline = time.monotonic() + engine.ready_seconds
    while time.monotonic() < deadline and not cancelled.wait(0.1):
        if server.poll() is not None:
            raise EngineError(f"{engine.name} ended ({server.returncode}). Its log ends:\n{tail(engine.folder)}")
        try:
            if engine.ready():
                return
        except (OSError, ValueError, http.client.HTTPException):
            continue  # not yet
    if process := look_up(server.pid):
        end(process, signal.SIGTERM, 5)
    why = "was interrupted" if cancelled.is_set() else f"did not answer in {engine.ready_seconds:.0f} s"
    raise EngineError(f"{engine.name} {why}. Its log ends:\n{tail(engine.folder)}")


def tail(folder: Path) -> str:
    """The last lines of an engine's log."""
    try:
        return "\n".join((folder / "log").read_text("utf-8", "replace").splitlines()[-12:])
    except OSError:
        return "(no log)"


def masked(url: str) -> str:
    """A URL without its password."""
    head, at, rest = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:****@{rest}" if at else url
