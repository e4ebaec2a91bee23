"""How long `xget --help` takes, beside a Python that does nothing. Median of 7 starts each, taken in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.table import Row, report

STARTS = 7
TARGET = 0.3
XGET = str(Path(sys.executable).with_name("xget"))


def measure() -> list[Row]:
    """One row."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(STARTS):
        ours.append(_seconds([XGET, "--help"]))
        bare.append(_seconds([sys.executable, "-c", "pass"]))
    ours_median, bare_median = statistics.median(ours), statistics.median(bare)
    return [
        Row(
            name="xget --help",
            ours=f"{ours_median * 1000:.0f} ms",
            peer=f"{bare_median * 1000:.0f} ms (python -c pass)",
            value=f"{ours_median:.2f} s",
            target=f"≤ {TARGET} s",
            ok=ours_median <= TARGET,
        )
    ]


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(report(measure()))
