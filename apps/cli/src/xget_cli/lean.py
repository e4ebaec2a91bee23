"""What a process that serves or works does without."""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

COLOURS: Final = ("rich", "pygments")
CYCLES: Final = (20_000, 20, 20)
"""How many new objects make Python look for cycles: by default 700, which is a fifth of the time that imports take."""


def lean() -> None:
    """Call before the services are imported.

    structlog, httpx and mako load rich and pygments where they find them, for tracebacks in colour that nobody sees
    here: 13 MB in each process. gRPC says nothing by itself, since our own errors tell it in one line.
    """
    gc.set_threshold(*CYCLES)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for name in COLOURS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python writes that an import shall fail
