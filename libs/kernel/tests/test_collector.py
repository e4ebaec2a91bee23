"""The garbage collector of a long-running process."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from xget_kernel import collector


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class _Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


def test_what_is_loaded_is_looked_through_no_more() -> None:
    collector.calm()
    assert gc.get_freeze_count() > 1000


def test_cycles_made_later_are_still_freed_without_anybody_asking() -> None:
    collector.calm()
    first = weakref.ref(_Knot())
    kept = [_Knot() for _ in range(gc.get_threshold()[0] + 1000)]
    assert first() is None, f"{len(kept)} newer objects did not bring the collector on"
