"""Row and message ids: UUIDv7, whose text sorts by time of making."""

from __future__ import annotations

import os
import re
import threading
import time
import uuid

_PATTERN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_TICKS_PER_MS = 4096


class _Ticks:
    """60-bit time stamps (48 bits of milliseconds, 12 of their fraction) that never repeat nor go back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        millis, rest = divmod(time.time_ns(), 1_000_000)
        ticks = millis * _TICKS_PER_MS + rest * _TICKS_PER_MS // 1_000_000
        with self._lock:
            self._last = max(ticks, self._last + 1)
            return self._last


_ticks = _Ticks()


def new_id() -> str:
    """A fresh UUIDv7 as 36 lower-case characters; within a process each is greater than the one before it."""
    millis, fraction = divmod(_ticks.next(), _TICKS_PER_MS)
    noise = int.from_bytes(os.urandom(8), "big") >> 2
    value = (millis << 80) | (7 << 76) | (fraction << 64) | (0b10 << 62) | noise
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Whether `text` is a UUIDv7 in the form `new_id` writes."""
    return _PATTERN.fullmatch(text) is not None
