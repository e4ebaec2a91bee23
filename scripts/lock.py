"""Resolve requirements.in into requirements.lock: names, versions and hashes, and no host."""

from __future__ import annotations

import subprocess
import sys

from setup import ROOT, uv

OPTIONS = ["--generate-hashes", "--no-header", "--no-annotate", "--python-version", "3.11", "--quiet"]


def main() -> int:
    """Write the lock; the exit code is uv's."""
    command = [str(uv()), "pip", "compile", "requirements.in", *OPTIONS, "-o", "requirements.lock"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
