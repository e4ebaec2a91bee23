"""schemathesis over the proxy service: no server error, no undocumented status."""

from __future__ import annotations

from pathlib import Path

import pytest

from xget_proxy.app import create_app
from xget_proxy.settings import Settings
from xget_testing.asking import nobody_else
from xget_testing.fuzz import fuzz


@pytest.mark.slow
def test_whatever_is_sent_is_answered_as_documented(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, port=0, open_mode=True, internal_token="inner", proxy_check_seconds=0.2)
    fuzz(create_app(settings, unknown=nobody_else), max_examples=8)
