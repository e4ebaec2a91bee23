"""The history of an item in pieces: the same order and cursors on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from xget_kernel.pages import bad_cursor
from xget_storage.models import Sighting
from xget_storage.ports import HistoryPage

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def piece_of(found: Sequence[Sighting], size: int, *, newest: bool, after: Sequence[Any] | None) -> HistoryPage:
    """`size` sightings by time and execution behind the place `after`. Raises Invalid (422) for a foreign cursor."""
    ordered = sorted(((_place(one), one) for one in found), key=lambda pair: pair[0], reverse=newest)
    if after is not None:
        begin = _checked(after)
        ordered = [pair for pair in ordered if (pair[0] < begin if newest else pair[0] > begin)]
    page = ordered[:size]
    cursor = list(page[-1][0]) if len(ordered) > size else None
    return HistoryPage(items=[one for _, one in page], cursor=cursor)


def _place(one: Sighting) -> tuple[int, str]:
    return (one.seen_at - _EPOCH) // _MICROSECOND, one.execution_id


def _checked(after: Sequence[Any]) -> tuple[int, str]:
    match after:
        case [int(at), str(execution)]:
            return at, execution
    raise bad_cursor()
