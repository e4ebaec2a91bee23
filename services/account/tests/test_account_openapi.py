"""schemathesis over the account service: no server error, no undocumented status."""

from __future__ import annotations

from pathlib import Path

import pytest

from xget_account.app import create_app
from xget_account.settings import Settings
from xget_proxy.app import create_app as create_proxy_app
from xget_proxy.settings import Settings as ProxySettings
from xget_testing.apps import serving_in_thread
from xget_testing.asking import nobody_else
from xget_testing.fuzz import fuzz


@pytest.mark.slow
def test_whatever_is_sent_is_answered_as_documented(tmp_path: Path) -> None:
    proxies = create_proxy_app(ProxySettings(home=tmp_path, port=0, open_mode=True, internal_token="inner"))
    with serving_in_thread(proxies):
        url = f"http://127.0.0.1:{proxies.state.grpc_port - 1000}"
        settings = Settings(home=tmp_path, port=0, open_mode=True, internal_token="inner", proxy_service_url=url)
        fuzz(create_app(settings, unknown=nobody_else), max_examples=8)
