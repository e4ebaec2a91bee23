"""Raw pages in SQLite and in MongoDB keep the contract; what a crash leaves of a large one is no page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_raw_pages import MongoRawPages
from xget_storage.adapters.sqlite_raw_pages import SqliteRawPages
from xget_storage.models import RawPage
from xget_testing.contracts.pages import START
from xget_testing.contracts.raw_pages import RawPageStoreContract


class TestSqliteRawPages(RawPageStoreContract):
    page = RawPage

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteRawPages]:
        pages = SqliteRawPages(tmp_path / "raw_pages.db")
        yield pages
        await pages.close()


@pytest.mark.connected("mongodb")
class TestMongoRawPages(RawPageStoreContract):
    page = RawPage

    @pytest.fixture
    async def store(self, mongo: MongoServer) -> AsyncIterator[MongoRawPages]:
        pages = MongoRawPages(mongo)
        await pages.open()
        yield pages
        await pages.close()

    async def test_chunks_without_a_page_go_with_the_old_ones(self, store: MongoRawPages, mongo: MongoServer) -> None:
        await MongoRawPages(mongo, chunk=10).put([self.raw(1, b"x" * 35 + b"y")], START)
        chunks, pages = mongo.database["raw_chunks"], mongo.database["raw_pages"]
        assert await chunks.count_documents({}) == 2  # of the same bytes thrice, and the rest
        await pages.delete_one({})
        assert await store.get("e1", 1) is None
        await store.drop_before(START + timedelta(days=1))
        assert await chunks.count_documents({}) == 0
