"""Times in requests: a date, or a time with its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_SHAPE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?", re.IGNORECASE | re.ASCII)


def _parse(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, str) and _SHAPE.fullmatch(value):
        try:
            found = datetime.fromisoformat(value.upper())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError(
        "moment", "Write a date like 2026-07-01, or a time with its zone like 2026-07-01T12:00:00Z"
    )


Moment = Annotated[
    datetime,
    BeforeValidator(_parse),
    WithJsonSchema(
        {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}], "examples": ["2026-07-01"]}
    ),
]
"""UTC; a bare date is its midnight."""
