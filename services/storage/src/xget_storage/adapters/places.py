"""Where the next piece of a list begins: the same cursor with every search engine."""

from __future__ import annotations

from typing import Any

from xget_kernel.pages import bad_cursor

_LARGEST = 2**63 - 1
_LONGEST_KEY = 2048


def place(after: Any) -> tuple[int, str]:
    """Time and key of the last item of the piece before. Raises Invalid (422) for anything else."""
    match after:
        case [int(at), str(key)] if abs(at) <= _LARGEST and _is_text(key):
            return int(at), key
    raise bad_cursor()


def _is_text(key: str) -> bool:
    return len(key) <= _LONGEST_KEY and not any("\ud800" <= char <= "\udfff" for char in key)
