"""Ages at which a post is seen again: pure arithmetic on Unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

SOONEST: Final = 15 * 60
LATEST: Final = 24 * 3600
"""Pauses before a look that failed is tried again: a tenth of the post's age between these, in seconds."""
SHARE: Final = 10


def seconds(moment: datetime) -> int:
    """Unix seconds."""
    return int(moment.timestamp())


def moment(unix: int) -> datetime:
    """The time of Unix seconds."""
    return datetime.fromtimestamp(unix, UTC)


def next_due(born: int, ages: Sequence[int], seen: int) -> int | None:
    """When a post that was seen at `seen` is due again; ages that have passed by then are served by that sight."""
    return next((born + age for age in ages if born + age > seen), None)
