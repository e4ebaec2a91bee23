"""Sets that belong to a process: they are removed when it has gone, whatever ended it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from engines.errors import EngineError
from engines.places import cache, set_names
from engines.processes import Process, alive, look_up
from engines.sets import EngineSet
from engines.state import write_private

COMMAND = Path(__file__).resolve().parent
EACH_SECONDS = 1.0


def adopt(group: EngineSet, owner_pid: int) -> None:
    """Bind a set to a process and see to it that somebody watches. Raises EngineError when that process has gone."""
    owner = look_up(owner_pid)
    if not owner:
        raise EngineError(f"There is no process {owner_pid} to own the set {group.name}.")
    known = _read(group, "watchdog")
    if _read(group, "owner") == owner and known and alive(known):
        return
    group.folder.mkdir(parents=True, exist_ok=True)
    _write(group, owner, None)
    _write(group, owner, look_up(_watchdog(group)))


def watch(group: EngineSet) -> None:
    """Wait until the owner has gone and remove the set; end at once when the set is no longer ours to watch."""
    while owner := _read(group, "owner"):
        watchdog = _read(group, "watchdog")
        if watchdog and watchdog.pid != os.getpid():
            return
        if not alive(owner):
            group.remove()
            return
        time.sleep(EACH_SECONDS)


def sweep() -> None:
    """Remove sets whose owner has gone and whose watchdog did not see to it."""
    for name in set_names():
        group = EngineSet(name)
        owner = _read(group, "owner")
        if owner and not alive(owner):
            group.remove()


def _watchdog(group: EngineSet) -> int:
    nothing = subprocess.DEVNULL
    command = [sys.executable, str(COMMAND), "watch", "--set", group.name]
    return subprocess.Popen(
        command, cwd=cache(), stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
    ).pid


def _read(group: EngineSet, role: str) -> Process | None:
    try:
        entry = json.loads((group.folder / "set.json").read_text("utf-8"))[role]
        return Process(int(entry["pid"]), str(entry["started"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(group: EngineSet, owner: Process, watchdog: Process | None) -> None:
    roles = {"owner": owner, "watchdog": watchdog}
    told = {role: {"pid": p.pid, "started": p.started} for role, p in roles.items() if p}
    write_private(group.folder / "set.json", json.dumps(told))
