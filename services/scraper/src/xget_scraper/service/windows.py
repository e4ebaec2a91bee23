"""What follows when the collecting of a segment ends: pure decisions about windows of time.

A platform that lists newest first stalls (it repeats a cursor, or gives empty pages with ever new ones), and it lies
("no more" although there is more). So what has been listed is believed, and what has not is asked for again, as a
smaller window. Every window that follows is smaller than the one before, or counted; so this ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from xget_scraper.models import Segment, SegmentState

START_OF_TIME: Final = datetime(2006, 3, 21, tzinfo=UTC)
"""No platform has anything older: the first post on X."""
END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)
FLOOR: Final = timedelta(minutes=1)
"""A window that is no longer is not halved."""
SECOND: Final = timedelta(seconds=1)
"""Windows meet with this overlap: times on platforms are whole seconds, and a second may be listed in part."""
FRUITLESS: Final = 32
"""After so many windows in a row that gave nothing but cursors the rest of the target is a gap."""
ENOUGH_FAILURES: Final = 5
"""After so many targets in a row that failed for no reason of their own the execution ends."""

STALLED: Final = "The platform stopped giving anything here, and went on stopping when it was asked again."
REACH: Final = "The route reaches no further back; another one may: give the task several `routes`."
CROWDED: Final = "There is more in this second than the platform lists, and no smaller window."


@dataclass(frozen=True, slots=True)
class Window:
    """What a new segment is to collect; None leaves an end open."""

    since: datetime | None
    until: datetime | None
    probe: bool = False
    empties: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a segment, and what goes on in its place."""

    state: SegmentState
    reason: str
    follows: Sequence[Window] = ()
    gap: Window | None = None
    """A part of it that is known to be missing."""
    detail: str | None = None
    fruitless: bool = False
    """The platform gave nothing but cursors."""


def after(segment: Segment, reason: str, now: datetime, *, shown: datetime | None) -> Verdict:
    """What follows when the source ended a segment for `reason`; `shown` is its target's oldest entry so far."""
    if reason not in ("exhausted", "stalled"):
        return Verdict(SegmentState.DONE, reason)
    top = whole(segment.oldest_at)
    if not segment.windowed or (top is None and segment.matched):
        return _as_it_is(segment, reason)
    if top is None:
        return _nothing(segment, reason, now, shown=shown)
    rest = Window(segment.since, top + SECOND, probe=reason == "exhausted")
    goes_down = narrows(segment)
    if reason == "exhausted":
        covered = segment.since is not None and top <= segment.since
        return Verdict(SegmentState.DONE, reason, [rest] if goes_down and not covered else [])
    if goes_down:
        return Verdict(SegmentState.SPLIT, reason, [rest])
    return _stuck(segment, top)


def narrows(segment: Segment) -> bool:
    """Whether what is left of a window is smaller than the window."""
    top = whole(segment.oldest_at)
    return segment.windowed and top is not None and (segment.until is None or top + SECOND < segment.until)


def rest_of(segment: Segment) -> Window:
    """What is left of a segment that was not collected to its end."""
    top = whole(segment.oldest_at)
    started = segment.windowed and segment.state == SegmentState.OPEN and top is not None
    return Window(segment.since, top + SECOND if started and top is not None else segment.until)


def joined(windows: Iterable[Window]) -> list[Window]:
    """Windows that meet or overlap as one, newest first."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda one: one.until or END_OF_TIME, reverse=True):
        last = found[-1] if found else None
        if last is not None and (last.since is None or window.until is None or window.until >= last.since):
            since = min(last.since, window.since) if last.since and window.since else None
            found[-1] = Window(since, last.until)
        else:
            found.append(Window(window.since, window.until))
    return found


def is_answered(segment: Segment, oldest_at: datetime | None) -> bool:
    """Whether the first page of a probe shows that nothing is left: what was known already, and nothing older."""
    top = whole(oldest_at)
    return segment.probe and segment.until is not None and top is not None and top + SECOND >= segment.until


def whole(moment: datetime | None) -> datetime | None:
    """The second that a time is in."""
    return moment.replace(microsecond=0) if moment else None


def _as_it_is(segment: Segment, reason: str) -> Verdict:
    """Of a segment that cannot be narrowed in time."""
    if reason == "exhausted":
        return Verdict(SegmentState.DONE, reason)
    return Verdict(SegmentState.GAP, reason)


def _nothing(segment: Segment, reason: str, now: datetime, *, shown: datetime | None) -> Verdict:
    """Of a window whose every page was empty. An unbounded rest that twice answers nothing has nothing.

    Unless it only stalled, and would have to show the entry that it begins with: then nobody knows.
    """
    since, until, top = segment.since, segment.until, whole(shown)
    if reason == "stalled" and since is not None:
        return _bisected(since, min(until or now, max(now, since)))
    if segment.empties == 0:
        return Verdict(SegmentState.SPLIT, reason, [Window(since, until, empties=1)])
    if reason == "exhausted" or (top is not None and until is not None and until <= top):
        return Verdict(SegmentState.DONE, "exhausted")
    return Verdict(SegmentState.GAP, reason, detail=STALLED)


def _bisected(since: datetime, until: datetime) -> Verdict:
    if until <= since:
        return Verdict(SegmentState.DONE, "exhausted")
    if until - since <= FLOOR:
        return Verdict(SegmentState.GAP, "stalled", detail=STALLED, fruitless=True)
    middle = (since + (until - since) / 2).replace(microsecond=0)
    return Verdict(SegmentState.SPLIT, "stalled", [Window(middle, until), Window(since, middle)], fruitless=True)


def _stuck(segment: Segment, top: datetime) -> Verdict:
    """Of a window that shows its last second and then stalls: below that second there may be more."""
    follows = [Window(segment.since, top)] if segment.since is None or segment.since < top else []
    if not segment.matched:
        return Verdict(SegmentState.SPLIT, "stalled", follows)
    floor = max(top, segment.since) if segment.since else top
    return Verdict(SegmentState.SPLIT, "stalled", follows, gap=Window(floor, segment.until), detail=CROWDED)
