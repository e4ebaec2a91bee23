"""What a task waits for, in a few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

WORDS: Final = {
    "account": "an account",
    "retry": "the next try",
    "service": "a part of XGet that is away",
    "worker": "a worker",
    "storage": "storage",
}


def told_waiting(row: dict[str, Any], now: datetime | None = None) -> str:
    """`an account until 14:32 UTC (then 7 have room)` of a task or an execution; empty for one that does not wait."""
    waiting = row.get("waiting")
    if not waiting:
        return ""
    words = WORDS.get(waiting["reason"], waiting["reason"])
    if waiting.get("until"):
        words += f" until {_clock(waiting['until'], now or datetime.now(UTC))} UTC"
    return f"{words} (then {waiting['accounts']} have room)" if waiting.get("accounts") else words


def _clock(moment: str, now: datetime) -> str:
    """The time of day, with the date unless that is today's."""
    when = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{when:%H:%M}" if when.date() == now.date() else f"{when:%Y-%m-%d %H:%M}"
