"""What an engine says about itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An engine that answered."""

    version: str = ""
    now: datetime | None = None
    """The engine's own clock (UTC), when it tells."""
    problem: str = ""
    """What is wrong although it answers."""
    advice: str = ""
    """How to mend it."""
    facts: dict[str, Any] = {}


class Silent(Exception):
    """The engine did not answer as it should; the text is a sentence, without credentials, and says what to do."""
