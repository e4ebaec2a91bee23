"""promtool: that of the machine, else Debian's, unpacked into the cache without installing it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from engines.errors import EngineError
from engines.install import installed

HELP = "Install Prometheus and put promtool on the PATH."


def path() -> Path:
    """The program. Raises EngineError where there is none and apt cannot bring it."""
    found = shutil.which("promtool")
    return Path(found) if found else installed("promtool", _unpack, lock="promtool") / "usr" / "bin" / "promtool"


def _unpack(folder: Path) -> None:
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if not apt or not dpkg:
        raise EngineError(f"promtool is missing and this is no Debian. {HELP}")
    with tempfile.TemporaryDirectory(prefix="xget-promtool-") as scratch:
        # apt checks the package against the signed lists; a machine without lists gets them first, if it may.
        if not _downloaded(apt, scratch):
            subprocess.run([apt, "-qq", "update"], capture_output=True, check=False)
            if not _downloaded(apt, scratch):
                raise EngineError(f"apt-get could not download the package prometheus. {HELP}")
        (package,) = Path(scratch).glob("*.deb")
        whole = Path(scratch, "whole")
        subprocess.run([dpkg, "-x", str(package), str(whole)], check=True)
        (folder / "usr" / "bin").mkdir(parents=True)
        shutil.copy2(whole / "usr" / "bin" / "promtool", folder / "usr" / "bin" / "promtool")


def _downloaded(apt: str, folder: str) -> bool:
    command = [apt, "-qq", "-o", "APT::Sandbox::User=root", "download", "prometheus"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0
