"""The toy service of xget_testing, on tokens of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from xget_kernel.settings import ServiceSettings
from xget_testing.tokens import TokenMaker
from xget_testing.toy import toy_app


@pytest.fixture(autouse=True)
def readiness_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment is no check that hangs."""
    monkeypatch.setattr("xget_web.health.CHECK_SECONDS", 30.0)


@pytest.fixture
def maker() -> TokenMaker:
    return TokenMaker()


@pytest.fixture
def make_app(tmp_path: Path, maker: TokenMaker) -> Callable[..., FastAPI]:
    def make(**options: Any) -> FastAPI:
        settings = ServiceSettings(home=tmp_path, **options.pop("settings", {}))
        return toy_app(settings, maker.verifier(), **options)

    return make
