"""Downloads through the ordinary clients, into the cache, checked by hash; a finished one is never fetched again."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import setup

from engines import versions
from engines.errors import EngineError
from engines.places import cache

LOCKS = Path(__file__).resolve().parent / "locks"


def say(text: str) -> None:
    """One line of progress; stdout is for results."""
    print(f"engines: {text}", file=sys.stderr, flush=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file that ends with this process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield
                return  # else it was deleted by the one before us: take the new one


def installed(name: str, fill: Callable[[Path], None], *, lock: str) -> Path:
    """The folder of a download: filled aside and renamed when whole, so that half a download is never used."""
    target = cache() / "installed" / name
    if target.is_dir():
        return target
    with locked(cache() / "installed" / f"{lock}.lock"):
        if not target.is_dir():
            say(f"installing {name}")
            aside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
            try:
                fill(aside)
                aside.chmod(0o755)
                aside.rename(target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    return target


def from_pypi(name: str) -> Path:
    """The folder of a package from PyPI and what it needs, apart from every other environment."""
    requirement = versions.PYPI[name]
    tag = f"{requirement.replace('==', '-')}-py{sys.version_info[0]}{sys.version_info[1]}"
    return installed(tag, lambda folder: _pip(LOCKS / f"{name}.txt", folder), lock=name)


def _pip(lock: Path, folder: Path) -> None:
    command = [str(uv()), "pip", "install", "--quiet", "--python", base_python(), "--target", str(folder)]
    _run([*command, "--no-deps", "--require-hashes", "-r", str(lock)], f"{lock.stem} could not be installed from PyPI")


def base_python() -> str:
    """The interpreter itself, even when called from a virtual environment, whose packages are none of ours."""
    return getattr(sys, "_base_executable", None) or sys.executable


def uv() -> Path:
    """Path of uv, which `make setup` shares with us."""
    with locked(cache() / "installed" / "uv.lock"), contextlib.redirect_stdout(sys.stderr):
        try:
            return setup.uv()
        except SystemExit as stopped:
            raise EngineError(str(stopped)) from None


def from_maven(name: str, goal: list[str], hashes: str, pom: str | None = None) -> Path:
    """The folder of files that a goal of Maven's dependency plugin fetches; exactly those with these hashes."""

    def fill(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="xget-maven-") as scratch:
            if pom:
                Path(scratch, "pom.xml").write_text(pom, "utf-8")
            out = f"-DoutputDirectory={folder}"
            _run([maven(), "-q", "-B", *goal, out], f"{name} could not be fetched by Maven", cwd=Path(scratch))
        check_hashes(folder, LOCKS / hashes)

    return installed(name, fill, lock="maven")


def maven() -> str:
    """Path of Maven, which brings the Java engines."""
    found = shutil.which("mvn")
    if not found:
        raise EngineError("Maven is missing; it brings Elasticsearch and Kafka. Install it: apt-get install maven")
    return found


def check_hashes(folder: Path, lock: Path) -> None:
    """Raise unless the folder holds exactly the files of the lock, byte for byte."""
    want = {name: digest for digest, _, name in (line.partition("  ") for line in lock.read_text().splitlines())}
    found = {}
    for path in folder.iterdir():
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    wrong = sorted(name for name in want.keys() | found.keys() if want.get(name) != found.get(name))
    if wrong:
        raise EngineError(f"Not the files of {lock.name}: {', '.join(wrong[:5])}. Clear Maven's cache and try again.")


def unpacked(name: str, archive: Path) -> Path:
    """The one folder inside a zip, unpacked with the rights that it records."""

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(archive) as bundle:
            for member in bundle.infolist():
                path = Path(bundle.extract(member, folder))
                path.chmod((0o755 if member.is_dir() else 0o644) | (member.external_attr >> 16) & 0o111)

    target = installed(name, fill, lock=name)
    (inside,) = target.iterdir()
    return inside


def _run(command: list[str], failure: str, cwd: Path | None = None) -> None:
    env = {"MAVEN_OPTS": f"-Xmx256m -Duser.home={Path.home()}", **os.environ}
    result = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        last = "\n".join((result.stdout + result.stderr).strip().splitlines()[-8:])
        raise EngineError(f"{failure}. Is its registry reachable? It said:\n{last}")
