"""Circles of cursors are noticed, however long they are, by a memory that does not grow."""

from __future__ import annotations

from itertools import chain, count, cycle

import pytest

from xget_sources.x.cursors import Trail


def steps_until_met(straight: int, circle: int) -> int:
    """How many cursors of a circle behind a straight way are passed before one is met again."""
    trail = Trail(None)
    way = chain((f"s{n}" for n in range(straight)), cycle([f"c{n}" for n in range(circle)]))
    for n in count():
        cursor = next(way)
        if cursor in trail:
            return n - straight
        trail.add(cursor)
    raise AssertionError


@pytest.mark.parametrize("straight", [0, 7, 5_000])
@pytest.mark.parametrize("circle", [1, 2, 999])
def test_a_short_circle_is_noticed_at_once(straight: int, circle: int) -> None:
    assert steps_until_met(straight, circle) == circle


@pytest.mark.parametrize("circle", [1_000, 1_001, 5_000, 33_333])
def test_a_long_circle_is_noticed_within_three_rounds(circle: int) -> None:
    assert steps_until_met(0, circle) <= 3 * circle


def test_a_way_without_a_circle_is_never_taken_for_one() -> None:
    trail = Trail(None)
    for n in range(50_000):
        assert str(n) not in trail
        trail.add(str(n))
