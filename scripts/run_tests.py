"""What `make test` and `make test-fast` run; the last line printed is pytest's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run all tests, or only the fast ones; the exit code is pytest's."""
    fast = sys.argv[1:2] == ["fast"]
    env = {**os.environ, "TWS_TELEMETRY": "0", "PYTHONDONTWRITEBYTECODE": ""}
    shared = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *shared, "--durations=10"]
    command += ["-m", "not slow and not connected"] if fast else []
    return subprocess.run([*command, *sys.argv[2:]], cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
