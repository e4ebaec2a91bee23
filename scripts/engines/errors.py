"""What goes wrong with engines, as sentences with the fix."""

from __future__ import annotations


class EngineError(Exception):
    """An engine cannot be had; the message says why and how to mend it."""
