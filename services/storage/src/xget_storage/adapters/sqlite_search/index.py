"""The search index on one SQLite file: FTS5 over tokens that are made before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.adapters.sqlite_search.querying import search
from xget_storage.adapters.sqlite_search.rebuilding import SqliteRebuild, rebuilding
from xget_storage.adapters.sqlite_search.schema import SCHEMA
from xget_storage.adapters.sqlite_search.writing import Indexing, delete
from xget_storage.models import StoredItem
from xget_storage.ports import SearchPage, SearchQuery
from xget_storage.service.analysis import Analyzer


class SqliteSearch:
    """`SearchIndex` on SQLite; see the port for what each method promises."""

    def __init__(self, path: Path, analyzer: Analyzer) -> None:
        self._path = path
        self._file = SqliteFile(path, SCHEMA)
        self._analyzer = analyzer

    async def open(self) -> None:
        """Create or upgrade the file. Raises StartupError when a newer version wrote it."""
        await self._file.open()

    async def index(self, items: Sequence[StoredItem]) -> None:
        if items:
            await self._file.write(lambda connection: Indexing(connection, self._analyzer).run(items))

    async def delete(self, revs: dict[str, int]) -> None:
        if revs:
            await self._file.write(lambda connection: delete(connection, revs))

    async def search(self, query: SearchQuery) -> SearchPage:
        return await self._file.read(lambda connection: search(connection, query, self._analyzer))

    def rebuilding(self) -> AbstractAsyncContextManager[SqliteRebuild]:
        return rebuilding(self._path, self._file, self._analyzer)

    async def close(self) -> None:
        await self._file.close()
