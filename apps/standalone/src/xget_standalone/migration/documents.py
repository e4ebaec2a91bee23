"""Items, authors, sightings, pages and changes, and the raw pages: from the files into MongoDB."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import msgspec

from xget_kernel.errors import StartupError
from xget_standalone.migration.progress import Progress
from xget_standalone.migration.steps import Row
from xget_storage.adapters.mongo_documents.importing import MongoArchive
from xget_storage.adapters.sqlite_documents import exporting
from xget_storage.models import RawPage
from xget_storage.ports import RawPageStore
from xget_storage.schemas.archive import ArchivedRawPage, Kind, canonical

_ROWS: Final[dict[Kind, int]] = {"items": 300, "pages": 300}
_MANY_ROWS: Final = 1000
_RAW_PAGES: Final = 16
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def check_layout(connection: sqlite3.Connection, name: str, known: int) -> None:
    """Raise StartupError when a file of storage is not laid out as this release reads it."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != known:
        raise StartupError(
            f"{name} of the source has layout {found}, and this XGet moves layout {known}: start the XGet that you "
            "have now on that folder once (`xget up --home`), stop it, then retry; or install the newer."
        )


class DocumentShelf:
    """Records of one kind."""

    concern = "documents"
    merges = True

    def __init__(self, kind: Kind, source: sqlite3.Connection, target: MongoArchive) -> None:
        self.name: str = kind
        self._kind = kind
        self._source = source
        self._target = target
        self._size = _ROWS.get(kind, _MANY_ROWS)

    async def total(self) -> int:
        return await asyncio.to_thread(exporting.count, self._source, self._kind)

    async def prepare(self, progress: Progress) -> None:
        """Nothing."""

    async def read(self, after: str) -> list[Row]:
        found = await asyncio.to_thread(exporting.read, self._source, self._kind, int(after or 0), self._size)
        return [Row(str(one.place), one.record.id, canonical(one.record), one.record) for one in found]

    async def present(self, rows: Sequence[Row]) -> dict[str, bytes]:
        found = await self._target.load(self._kind, [row.key for row in rows])
        return {key: canonical(record) for key, record in found.items()}

    async def bring(self, rows: Sequence[Row]) -> None:
        await self._target.bring(self._kind, [row.value for row in rows])

    async def settled(self, rows: Sequence[Row]) -> set[str]:
        return await self._target.settled(self._kind, [row.value for row in rows])

    async def finish(self) -> None:
        await self._target.finish(self._kind)


class RawPageShelf:
    """Answers of platforms, as received; they keep their age. One that is there is left as it is."""

    concern = "documents"
    name = "raw pages"
    merges = False

    def __init__(self, source: sqlite3.Connection, target: RawPageStore) -> None:
        self._source = source
        self._target = target

    async def total(self) -> int:
        return await asyncio.to_thread(lambda: self._source.execute("SELECT count(*) FROM raw_pages").fetchone()[0])

    async def prepare(self, progress: Progress) -> None:
        """Nothing."""

    async def read(self, after: str) -> list[Row]:
        return await asyncio.to_thread(self._read, int(after or 0))

    def _read(self, after: int) -> list[Row]:
        sql = "SELECT id, stored_at, about, body FROM raw_pages WHERE id > ? ORDER BY id LIMIT ?"
        rows = []
        for place, stored_at, about, body in self._source.execute(sql, (after, _RAW_PAGES)):
            page = msgspec.structs.replace(msgspec.json.decode(about, type=RawPage), body_zstd=body)
            record = ArchivedRawPage(page=page, stored_at=stored_at)
            rows.append(Row(str(place), record.id, _ENCODER.encode(page), record))
        return rows

    async def present(self, rows: Sequence[Row]) -> dict[str, bytes]:
        pages = [row.value.page for row in rows]
        found = await asyncio.gather(*(self._target.get(page.execution_id, page.page_no) for page in pages))
        return {row.key: _ENCODER.encode(page) for row, page in zip(rows, found, strict=True) if page is not None}

    async def bring(self, rows: Sequence[Row]) -> None:
        for stored_at, some in groupby(rows, lambda row: row.value.stored_at):
            await self._target.put([row.value.page for row in some], datetime.fromtimestamp(stored_at, UTC))

    async def settled(self, rows: Sequence[Row]) -> set[str]:
        return set()

    async def finish(self) -> None:
        """Nothing."""
