"""What a process that serves or works does without."""

from __future__ import annotations

import os
import sys
from typing import Final

COLOURS: Final = ("rich", "pygments")


def lean() -> None:
    """Call before the services are imported.

    structlog, httpx and mako load rich and pygments where they find them, for tracebacks in colour that nobody sees
    here: 13 MB in each process. gRPC says nothing by itself, since our own errors tell it in one line.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for name in COLOURS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # how Python writes that an import shall fail
