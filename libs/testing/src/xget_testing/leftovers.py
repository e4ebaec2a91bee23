"""What drivers leave to the garbage collector, collected where it is known whose it is."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Generator, Sequence
from typing import Final

import pytest

_LEAVING: Final = "mongodb"
_AWAY: Final = "mongodb_away"
"""PyMongo does not close a socket whose connecting was cancelled (by a timeout, or by `close()`): Python closes it when
it is collected, and warns. Warnings are errors here, and would blame whichever test is running then."""
_WARNING: Final = "unclosed <socket"


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Hook of the root conftest: in tests on MongoDB such a socket is no error."""
    for item in items:
        if _on_mongodb(item):
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{_WARNING}:ResourceWarning"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Hook of the root conftest: after them all are collected, so that in every other test it is one."""
    result = yield
    if _on_mongodb(item):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=_WARNING, category=ResourceWarning)
            gc.collect()
    return result


def _on_mongodb(item: pytest.Item) -> bool:
    if item.get_closest_marker(_AWAY) is not None:
        return True
    return any(_LEAVING in mark.args for mark in item.iter_markers("connected"))
