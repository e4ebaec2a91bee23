"""Chromium: the one that XGET_CHROMIUM names or this machine has, else Debian's, installed where we may."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from engines.errors import EngineError
from engines.install import locked, say
from engines.places import cache

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HELP = "Install it (apt-get install chromium) or set XGET_CHROMIUM to its path."


def path() -> Path:
    """The program. Raises EngineError where there is none and apt may not bring it."""
    if named := os.environ.get("XGET_CHROMIUM"):
        if not os.access(named, os.X_OK):
            raise EngineError(f"XGET_CHROMIUM names {named}, which is no program. {HELP}")
        return Path(named)
    return _found() or _installed()


def _found() -> Path | None:
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def _installed() -> Path:
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        raise EngineError(f"Chromium is missing, and only root on a Debian gets it by itself. {HELP}")
    with locked(cache() / "installed" / "chromium.lock"):
        if not _found():
            say("installing chromium with apt")
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run([apt, "-qq", "update"], capture_output=True, check=False)
            command = [apt, "-qq", "-y", "--no-install-recommends", "install", "chromium"]
            result = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
            if result.returncode:
                raise EngineError(f"Chromium could not be installed: {result.stderr.strip()[-300:]} {HELP}")
    found = _found()
    if found is None:
        raise EngineError(f"Chromium was installed but is not on the PATH. {HELP}")
    return found
