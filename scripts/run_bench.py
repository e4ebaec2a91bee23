"""What `make bench` runs: every measure beside real engines of its own. With `--write` the table goes to RESULTS.md."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from own_engines import engines
from run_tests import interrupted

ROOT = Path(__file__).resolve().parent.parent
OWN = {"XGET_BENCH_KEEP": "1"}
"""The engines end with the bench: nothing has to be cleared away."""


def main() -> int:
    """Measure; the exit code is the bench's."""
    signal.signal(signal.SIGTERM, interrupted)
    try:
        with engines("bench") as found:
            command = [sys.executable, "-m", "bench", *sys.argv[1:]]
            return subprocess.run(command, cwd=ROOT, env={**os.environ, **found, **OWN}, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
