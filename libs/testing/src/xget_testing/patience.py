"""How long checks of readiness may take in tests that are about something else."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def readiness_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment is no check that hangs."""
    monkeypatch.setattr("xget_web.health.CHECK_SECONDS", 30.0)
