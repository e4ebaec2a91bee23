"""What follows from the end of a window: pure decisions, and what they come to on a platform that misbehaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xget_scraper.models import Segment, SegmentState
from xget_scraper.service.windows import Window, after, is_answered, rest_of

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NOW = DAY + timedelta(days=30)
NOON = DAY + timedelta(hours=12, microseconds=5)


def window(**fields: Any) -> Segment:
    values = {"since": DAY, "until": DAY + timedelta(days=1), "windowed": True, "matched": 0, "empties": 0}
    return Segment(**(values | {"probe": False, "state": "open", "oldest_at": None} | fields))


def follows(segment: Segment, reason: str) -> list[Window]:
    return list(after(segment, reason, NOW, shown=None).follows)


def test_a_stall_goes_on_from_the_oldest_entry_with_a_second_of_overlap() -> None:
    verdict = after(window(oldest_at=NOON, matched=20), "stalled", NOW, shown=NOON)
    assert verdict.state is SegmentState.SPLIT
    assert verdict.follows == [Window(DAY, NOON.replace(microsecond=0) + timedelta(seconds=1))]


def test_no_more_above_since_is_asked_again_once() -> None:
    verdict = after(window(oldest_at=NOON, matched=20), "exhausted", NOW, shown=NOON)
    assert verdict.state is SegmentState.DONE
    rest = verdict.follows[0]
    assert (rest.since, rest.probe) == (DAY, True)
    probe = window(until=rest.until, probe=True, oldest_at=NOON)
    assert is_answered(probe, NOON)
    assert not is_answered(probe, NOON - timedelta(seconds=2))
    assert follows(probe, "exhausted") == []


def test_no_more_at_since_is_believed() -> None:
    assert follows(window(oldest_at=DAY + timedelta(microseconds=9), matched=1), "exhausted") == []


@pytest.mark.parametrize("since", [DAY, None])
def test_nothing_twice_is_nothing(since: datetime | None) -> None:
    again = follows(window(since=since), "exhausted")
    assert again == [Window(since, DAY + timedelta(days=1), empties=1)]
    verdict = after(window(since=since, empties=1), "exhausted", NOW, shown=NOON)
    assert (verdict.state, verdict.follows) == (SegmentState.DONE, ())


def test_empty_pages_with_cursors_are_halved_newest_first() -> None:
    verdict = after(window(), "stalled", NOW, shown=NOON)
    noon = DAY + timedelta(hours=12)
    assert verdict.follows == [Window(noon, DAY + timedelta(days=1)), Window(DAY, noon)]
    assert verdict.fruitless


def test_a_minute_of_nothing_but_cursors_is_a_gap() -> None:
    verdict = after(window(until=DAY + timedelta(minutes=1)), "stalled", NOW, shown=NOON)
    assert (verdict.state, verdict.follows) == (SegmentState.GAP, ())


def test_an_unbounded_rest_is_never_halved() -> None:
    assert follows(window(since=None), "stalled") == [Window(None, DAY + timedelta(days=1), empties=1)]
    again = window(since=None, empties=1)
    assert after(again, "stalled", NOW, shown=again.until).state is SegmentState.DONE
    assert after(again, "exhausted", NOW, shown=None).state is SegmentState.DONE


def test_a_rest_that_does_not_even_show_what_it_begins_with_is_a_gap() -> None:
    again = window(since=None, empties=1, until=NOON.replace(microsecond=0) + timedelta(seconds=1))
    assert after(again, "stalled", NOW, shown=NOON).state is SegmentState.GAP
    assert after(window(since=None, empties=1), "stalled", NOW, shown=None).state is SegmentState.GAP


def test_a_window_that_lies_in_the_future_is_empty() -> None:
    later = window(since=NOW + timedelta(days=1), until=NOW + timedelta(days=2))
    assert after(later, "stalled", NOW, shown=NOON).state is SegmentState.DONE


def test_a_second_that_holds_more_than_is_listed_is_a_gap_and_what_is_below_goes_on() -> None:
    top = NOON.replace(microsecond=0)
    stuck = window(until=top + timedelta(seconds=1), oldest_at=NOON, matched=20)
    verdict = after(stuck, "stalled", NOW, shown=NOON)
    assert verdict.follows == [Window(DAY, top)]
    assert verdict.gap == Window(top, top + timedelta(seconds=1))
    known = window(until=top + timedelta(seconds=1), oldest_at=NOON)
    assert after(known, "stalled", NOW, shown=NOON).gap is None


def test_what_cannot_be_narrowed_ends_as_the_source_says() -> None:
    assert after(window(windowed=False, matched=3), "stalled", NOW, shown=NOON).state is SegmentState.GAP
    assert after(window(windowed=False), "exhausted", NOW, shown=NOON).state is SegmentState.DONE
    assert after(window(matched=3), "stalled", NOW, shown=NOON).state is SegmentState.GAP


def test_the_rest_of_a_window_in_hand_begins_at_its_oldest_entry() -> None:
    assert rest_of(window()) == Window(DAY, DAY + timedelta(days=1))
    assert rest_of(window(oldest_at=NOON)) == Window(DAY, NOON.replace(microsecond=0) + timedelta(seconds=1))
    assert rest_of(window(oldest_at=NOON, state="gap")) == Window(DAY, DAY + timedelta(days=1))
