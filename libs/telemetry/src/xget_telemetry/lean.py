"""Loads structlog without rich, which it takes for tracebacks in colour when it finds it: 7 MB in each process.

Nothing of ours prints such tracebacks; who wants rich for something else imports it as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how Python writes that an import shall fail
    try:
        yield
    finally:
        del sys.modules[name]


with _hidden("rich"):
    import structlog
    from structlog.typing import FilteringBoundLogger, Processor

__all__ = ["FilteringBoundLogger", "Processor", "structlog"]
