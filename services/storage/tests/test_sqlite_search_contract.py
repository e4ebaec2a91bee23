"""Search on SQLite keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xget_storage import models, ports
from xget_storage.adapters.sqlite_search import SqliteSearch
from xget_storage.service.analysis import Analyzer
from xget_testing.contracts.search import SearchIndexContract


class TestSqliteSearch(SearchIndexContract):
    ports = ports
    models = models

    @pytest.fixture
    async def index(self, tmp_path: Path) -> AsyncIterator[SqliteSearch]:
        search = SqliteSearch(tmp_path / "search.db", Analyzer())
        yield search
        await search.close()

    @pytest.fixture
    async def other(self, tmp_path: Path) -> AsyncIterator[SqliteSearch]:
        search = SqliteSearch(tmp_path / "search.db", Analyzer())
        yield search
        await search.close()
