"""Build .venv from requirements.lock with every member of the tree in it. Needs python3 >= 3.11 with pip, nothing else.

uv comes from PyPI into a folder of its own in the user's cache; a stamp in .venv makes a second run take no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".xget-setup"
UV_VERSION = "0.13.9"


def members() -> list[Path]:
    """Folders that hold a package of ours, in a stable order."""
    return sorted(p.parent for group in ("libs", "services", "apps") for p in (ROOT / group).glob("*/pyproject.toml"))


def fingerprint() -> str:
    """Changes whenever the lock, a member's metadata, the folder or this script changes."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in [Path(__file__), ROOT / "requirements.lock", *(m / "pyproject.toml" for m in members())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def check_machine() -> None:
    """Stop with a sentence and the command that mends it when something is missing."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the script must say so itself on an old machine
        sys.exit(f"XGet needs Python >= 3.11; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 setup")
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        sys.exit("python3 has no pip. Install it: apt-get install python3-pip (or: python3 -m ensurepip)")


def uv() -> Path:
    """Path of the uv program, installed on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xget" / f"uv-{UV_VERSION}"
    program = cache / "bin" / "uv"
    if not program.exists():
        print("setup: installing uv", flush=True)
        python = getattr(sys, "_base_executable", None) or sys.executable  # an environment made by uv has no pip
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--target", str(cache), f"uv=={UV_VERSION}"], "uv could not be installed by pip")
    return program


def run(command: list[str], failure: str) -> None:
    """Run a step; on failure show its output and one sentence."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
        sys.exit(f"setup: {failure} (see above). Is a package registry reachable?")


def main() -> None:
    """Set the environment up, or do nothing when it is up to date."""
    check_machine()
    want = fingerprint()
    if STAMP.exists() and STAMP.read_text() == want:
        return
    program = str(uv())
    python = str(VENV / "bin" / "python")
    if VENV.exists() and not (VENV / "bin" / "python").exists():
        shutil.rmtree(VENV)
    if not VENV.exists():
        print("setup: creating .venv", flush=True)
        run([program, "venv", "--quiet", "--python", sys.executable, str(VENV)], "the environment could not be created")
    print("setup: installing the locked packages", flush=True)
    pip = [program, "pip", "install", "--quiet", "--python", python]
    run([*pip, "--require-hashes", "-r", "requirements.lock"], "the locked packages could not be installed")
    own = [arg for member in members() for arg in ("-e", str(member))]
    run([*pip, "--no-deps", "--no-build-isolation", *own], "XGet's own packages could not be installed")
    STAMP.write_text(want)
    print("setup: ready, .venv/bin/xget", flush=True)


if __name__ == "__main__":
    main()
