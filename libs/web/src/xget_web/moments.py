"""Points in time in bodies and parameters."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _parse(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    try:
        if isinstance(value, str) and _RFC3339.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("time", "Write a time with its zone, as 2026-11-22T08:00:00Z")


Moment = Annotated[
    datetime,
    BeforeValidator(_parse),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T08:00:00Z"]}),
]
"""A time with its zone, as RFC 3339 writes it; always in UTC."""
