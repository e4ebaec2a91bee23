"""Fixtures for any member's tests; its conftest.py imports those it wants, `__all__ = ["clock"]` keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from xget_kernel.clock import ManualClock

__all__ = ["clock", "home"]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at 2026-01-01 00:00 UTC until the test advances it."""
    return ManualClock()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
