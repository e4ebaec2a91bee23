"""Whether X takes the queries of a search: their length, also when the run narrows them in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from xget_sources.x.queries.building import query_of
from xget_sources.x.queries.filters import Filtered

MAX_QUERY: Final = 500
"""Characters that X takes."""
_FINEST = (datetime(2006, 3, 21, 0, 0, 1, tzinfo=UTC), datetime(2286, 1, 1, 0, 0, 1, tzinfo=UTC))
"""A window whose operators are as long as any; it holds every post."""


def check_length(wanted: Filtered) -> None:
    """Raises ValueError for the first query that X would refuse, with its length and place in the list."""
    if wanted.plural is None:
        _check(wanted, "the query")
        return
    many = wanted.plural[1]
    values = getattr(wanted, many)
    room = MAX_QUERY - _length(wanted.only(wanted.plural, values[0])) + len(values[0])
    for index, value in enumerate(values):
        if len(value) > room:
            _check(wanted.only(wanted.plural, value), f"the query of {many}.{index}")


def _length(wanted: Filtered) -> int:
    """Characters of a query with a window of time as fine as a run may need it."""
    if not wanted.windowed:
        return len(query_of(wanted))
    timed = wanted.model_copy(update=dict(zip(("since", "until"), _FINEST, strict=True)))
    return len(query_of(timed))


def _check(wanted: Filtered, named: str) -> None:
    query, length = query_of(wanted), _length(wanted)
    if length <= MAX_QUERY:
        return
    added = length - len(query)
    window = f" and the run may add {added} to narrow it in time" if added > 0 else ""
    raise ValueError(
        f"{named} is too long: it has {len(query)} characters{window}, X takes {MAX_QUERY}; "
        f"character {max(1, MAX_QUERY - added + 1)} is the first too many"
    )
