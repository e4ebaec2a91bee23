"""The three embedded stores of a data folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from xget_storage.adapters.sqlite_documents import SqliteDocuments
from xget_storage.adapters.sqlite_raw_pages import SqliteRawPages
from xget_storage.adapters.sqlite_search import SqliteSearch
from xget_storage.service.analysis import Analyzer


@dataclass(frozen=True, slots=True)
class Stores:
    """Open stores, and the analyzer that search and highlights share."""

    documents: SqliteDocuments
    search: SqliteSearch
    raw_pages: SqliteRawPages
    analyzer: Analyzer

    @classmethod
    @asynccontextmanager
    async def opened(cls, home: Path) -> AsyncIterator[Stores]:
        """The stores in `home`, closed at the end. Raises StartupError when a newer version wrote one."""
        analyzer = Analyzer()
        stores = cls(
            SqliteDocuments(home / "documents.db"),
            SqliteSearch(home / "search.db", analyzer),
            SqliteRawPages(home / "raw_pages.db"),
            analyzer,
        )
        try:
            for store in stores._all():
                await store.open()
            yield stores
        finally:
            await asyncio.gather(*(store.close() for store in stores._all()))

    def _all(self) -> tuple[SqliteDocuments, SqliteSearch, SqliteRawPages]:
        return self.documents, self.search, self.raw_pages
