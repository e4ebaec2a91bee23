"""The document store on one SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.sqlite_documents import changing, history, reading, takedowns
from xget_storage.adapters.sqlite_documents.ingest import Ingest
from xget_storage.adapters.sqlite_documents.schema import SCHEMA
from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.adapters.sqlite_rows import listed
from xget_storage.models import AuditEntry, StoredAuthor, StoredItem, Takedown
from xget_storage.ports import Actor, HistoryPage, ItemFilter, ItemPage, SightedPage
from xget_storage.service.histories import piece_of


class SqliteDocuments:
    """`DocumentStore` on SQLite; see the port for what each method promises."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, SCHEMA)

    async def open(self) -> None:
        """Create or upgrade the file. Raises StartupError when a newer version wrote it."""
        await self._file.open()

    async def store_pages(self, pages: Sequence[PageParsed], now: datetime) -> list[PageStored]:
        return await self._file.write(lambda connection: Ingest(connection, now).run(pages))

    async def get(self, key: str, owner: str | None) -> StoredItem | None:
        return await self._file.read(lambda connection: reading.get(connection, key, owner))

    async def load(self, keys: Sequence[str]) -> dict[str, StoredItem]:
        return await self._file.read(lambda connection: reading.load(connection, keys))

    async def find(
        self, wanted: ItemFilter, size: int, *, offset: int = 0, after: Sequence[Any] | None = None
    ) -> ItemPage:
        return await self._file.read(lambda connection: reading.find(connection, wanted, size, offset, after))

    async def sighted(self, wanted: ItemFilter, size: int, *, after: int = 0, counted: bool = True) -> SightedPage:
        return await self._file.read(lambda connection: reading.sighted(connection, wanted, size, after, counted))

    async def history(
        self, key: str, owner: str | None, size: int, *, newest: bool = True, after: Sequence[Any] | None = None
    ) -> HistoryPage:
        found = await self._file.read(lambda connection: history.sightings(connection, key, owner))
        return piece_of(found, size, newest=newest, after=after)

    async def versions(self, first: str, owner: str | None) -> list[StoredItem]:
        return await self._file.read(lambda connection: reading.versions(connection, first, owner))

    async def add(self, items: Sequence[StoredItem], actor: str) -> list[bool]:
        return await self._file.write(lambda connection: changing.add(connection, items, actor))

    async def edit(
        self, key: str, owner: str | None, edits: dict[str, Any], *, rev: int | None, by: Actor
    ) -> StoredItem:
        return await self._file.write(lambda connection: changing.edit(connection, key, owner, edits, rev=rev, by=by))

    async def delete(self, key: str, owner: str | None, *, by: Actor) -> None:
        await self._file.write(lambda connection: changing.delete(connection, key, owner, by))

    async def audit(self, key: str, owner: str | None) -> list[AuditEntry]:
        return await self._file.read(lambda connection: changing.audit(connection, key, owner))

    async def authors(self, keys: Sequence[str]) -> dict[str, StoredAuthor]:
        sql = "SELECT key, doc FROM authors WHERE key IN (SELECT value FROM json_each(?))"
        return await self._file.read(
            lambda connection: {
                key: msgspec.json.decode(doc, type=StoredAuthor)
                for key, doc in connection.execute(sql, (listed(keys),))
            }
        )

    async def unindexed(self, size: int) -> dict[str, StoredItem | int]:
        return await self._file.read(lambda connection: changing.unindexed(connection, size))

    async def indexed(self, revs: dict[str, int]) -> None:
        sql = "DELETE FROM unindexed WHERE key = ? AND rev <= ?"
        await self._file.write(lambda connection: connection.executemany(sql, list(revs.items())))

    async def scan(self, after: str | None, size: int) -> dict[str, StoredItem | int]:
        return await self._file.read(lambda connection: reading.scan(connection, after, size))

    async def banned(self) -> frozenset[str]:
        return await self._file.read(takedowns.banned)

    async def takedowns(self, *, pending: bool = False) -> list[Takedown]:
        return await self._file.read(lambda connection: takedowns.takedowns(connection, pending=pending))

    async def takedown(self, author_key: str) -> Takedown | None:
        return await self._file.read(lambda connection: takedowns.takedown(connection, author_key))

    async def put_takedown(self, takedown: Takedown) -> bool:
        return await self._file.write(lambda connection: takedowns.put(connection, takedown))

    async def erase(self, author_key: str, after: str | None, *, by: Actor) -> str | None:
        return await self._file.write(lambda connection: takedowns.erase(connection, author_key, after, by))

    async def erased(self, author_key: str) -> tuple[int, int]:
        return await self._file.read(lambda connection: takedowns.erased(connection, author_key))

    async def close(self) -> None:
        await self._file.close()
