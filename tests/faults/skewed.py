"""Runs `xget cluster` as if each process had a machine of its own whose clock is wrong.

`XGET_TRIAL_SKEW=auth=300,account=-300/300` says by how many seconds, by process; of several numbers each start takes
the next. What is not named is right.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from xget_cli.main import main
from xget_kernel import ids
from xget_kernel.clock import SystemClock
from xget_standalone.cluster import supervisor
from xget_testing.node.hatchery import hatch_children


def seconds_of(process: str, home: Path) -> float:
    """How wrong the clock of a process is at this start."""
    wrong = dict(part.split("=") for part in os.environ["XGET_TRIAL_SKEW"].split(","))
    choice = wrong.get(process, "0").split("/")
    starts = home / f"{process}.starts"
    with starts.open("ab") as file:
        file.write(b".")
    return float(choice[(starts.stat().st_size - 1) % len(choice)])


def set_clock(seconds: float) -> None:
    """Put the wall clock that this process's own code reads so far ahead; its monotonic clock stays.

    `time.time` itself stays right: gRPC compares it with the machine's clock, and deadlines would have passed.
    """
    ids.time = SimpleNamespace(time_ns=lambda: time.time_ns() + int(seconds * 1e9))
    SystemClock.now = lambda _: datetime.now(UTC) + timedelta(seconds=seconds)  # type: ignore[method-assign]  # as said


def skew_children() -> None:
    """Have the supervisor run its processes by this file too."""
    planned = supervisor.plan

    def plan(*given: Any, **named: Any) -> Any:
        return planned(*given, **{**named, "program": [sys.executable, __file__]})

    supervisor.plan = plan


if __name__ == "__main__":
    member = os.environ.get("XGET_MEMBER") or ("gateway" if "gateway" in sys.argv else "")
    if member:
        set_clock(seconds_of(member, Path(os.environ["XGET_HOME"])))
    else:
        skew_children()
        hatch_children()
    sys.exit(main())
