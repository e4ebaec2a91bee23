"""The toy service of xget_testing, on tokens of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from xget_kernel.settings import ServiceSettings
from xget_testing.patience import readiness_patience
from xget_testing.tokens import TokenMaker
from xget_testing.toy import toy_app

__all__ = ["readiness_patience"]


@pytest.fixture
def maker() -> TokenMaker:
    return TokenMaker()


@pytest.fixture
def make_app(tmp_path: Path, maker: TokenMaker) -> Callable[..., FastAPI]:
    def make(**options: Any) -> FastAPI:
        settings = ServiceSettings(home=tmp_path, **options.pop("settings", {}))
        return toy_app(settings, maker.verifier(), **options)

    return make
