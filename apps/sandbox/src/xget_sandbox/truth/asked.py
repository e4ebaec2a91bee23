"""Reading what a question about the truth says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from xget_sandbox.errors import SandboxError

Questions = Mapping[str, str]


def with_filters(query: str, asked: Questions) -> str:
    """The query with a task's filters as X's operators; times of day become `since_time:`."""
    parts = [query]
    if asked.get("lang"):
        parts.append(f"lang:{asked['lang']}")
    for name in ("since", "until"):
        value = asked.get(name)
        if not value:
            continue
        at = moment(value)
        parts.append(f"{name}:{value}" if len(value) == 10 else f"{name}_time:{(at or 0) // 1000}")
    if not flag(asked, "include_replies", default=True):
        parts.append("-filter:replies")
    if flag(asked, "include_retweets", default=False):
        parts.append("include:nativeretweets")
    return f"({query}) {' '.join(parts[1:])}" if len(parts) > 1 else query


def moment(value: str | None) -> int | None:
    """A day or RFC 3339 time (UTC unless it says otherwise) in Unix milliseconds. Raises SandboxError."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise SandboxError("since and until are dates (2026-07-01) or RFC 3339 times.") from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def needed(asked: Questions, name: str) -> str:
    """A parameter that has to be there. Raises SandboxError."""
    if not asked.get(name):
        raise SandboxError(f"The parameter {name} is missing.")
    return asked[name]


def identifier(asked: Questions, name: str) -> int:
    """A parameter that is an id. Raises SandboxError."""
    text = needed(asked, name)
    if not text.isdecimal():
        raise SandboxError(f"{name} is a number.")
    return int(text)


def limit_of(asked: Questions) -> int | None:
    """How many at most; None for all."""
    text = asked.get("limit", "")
    if text and not text.isdecimal():
        raise SandboxError("limit is a whole number.")
    return int(text) if text else None


def flag(asked: Questions, name: str, *, default: bool) -> bool:
    """A yes or no."""
    text = asked.get(name, "").lower()
    return default if not text else text in ("1", "true", "yes")
