"""The API does what its OpenAPI document says."""

from __future__ import annotations

import pytest

from xget_storage.app import create_app
from xget_storage.settings import Settings
from xget_testing.fuzz import fuzz
from xget_testing.tokens import TokenMaker


@pytest.mark.slow
def test_no_request_breaks_the_api_or_its_document(settings: Settings, tokens: TokenMaker) -> None:
    fuzz(create_app(settings, verifier=tokens.verifier()), token=tokens.make("owner-1"))
