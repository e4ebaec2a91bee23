"""schemathesis over the scraper's OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from xget_scraper.app import create_app
from xget_scraper.ports import Left, Listing
from xget_scraper.settings import Settings
from xget_testing.collecting import ListSource
from xget_testing.fuzz import fuzz
from xget_testing.tokens import TokenMaker


class FewTypes(ListSource):
    """Two types stand for all: each one's schema multiplies the requests that are made up."""

    task_types = {name: ListSource.task_types[name] for name in ("USER_FOLLOWERS", "KEYWORD_SEARCH")}  # noqa: RUF012 - read only


class EmptyPools:
    """Nobody has anything."""

    def __init__(self, *_channels: Any) -> None:
        return

    async def has_account(self, owner_id: str, account_id: str) -> bool:
        return False

    async def has_proxy(self, owner_id: str, proxy_id: str) -> bool:
        return False

    async def left(self, *_wanted: Any) -> Left:
        return Left(accounts=0, known=0, limit=0, remaining=0, today=0, window_seconds=900)


class EmptyItems:
    """Nothing is stored."""

    def __init__(self, *_channels: Any) -> None:
        return

    async def list(self, *_wanted: Any) -> Listing:
        return Listing([], None, 0)

    async def search(self, *_wanted: Any, **_more: Any) -> Listing:
        return Listing([], None, 0)

    async def stream(self, *_wanted: Any) -> AsyncIterator[Sequence[bytes]]:
        for batch in ():
            yield batch


@pytest.mark.slow
def test_no_request_breaks_the_service_or_its_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xget_scraper.app.GrpcPools", EmptyPools)
    monkeypatch.setattr("xget_scraper.app.GrpcItems", EmptyItems)
    tokens = TokenMaker()
    settings = Settings(home=tmp_path, port=0, internal_token="inner")
    app = create_app(settings, verifier=tokens.verifier(), sources={"x": FewTypes([])})
    fuzz(app, token=tokens.make("ada", ["admin"]), max_examples=10, arguments=["--exclude-path-regex=events$"])
