"""Waiting for what other processes do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

BUSY: Final = 2.0
"""How much slower than one of its own a machine may be that does other work too."""


def promised(seconds: float) -> float:
    """The time to allow for what we promise within `seconds` on a machine of its own; `make soak` allows no more."""
    return seconds * float(os.environ.get("XGET_BUSY", BUSY))


def eventually(holds: Callable[[], object], seconds: float = 60, pause: float = 0.05) -> None:
    """Return once `holds` answers something true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(pause)
