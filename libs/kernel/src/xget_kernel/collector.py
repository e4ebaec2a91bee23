"""Python's garbage collector in a process that runs for long."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 20_000
"""Objects that may pile up before the young generation is looked through; Python's own 700 suit small scripts."""
_GENERATIONS: Final = 20


def calm() -> None:
    """Look through what is loaded by now no more, and through what comes seldom. Call it once all is built.

    Modules and applications are some hundred thousand objects that live as long as the process: walking them again
    and again stalls every request for as long as it takes. Reference counting frees what has no cycles anyway, and
    cycles are rare here, so memory stays flat.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _GENERATIONS, _GENERATIONS)
