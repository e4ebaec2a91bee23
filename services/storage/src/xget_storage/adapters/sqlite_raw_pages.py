"""Raw pages in SQLite, in a file of their own: they are large, and go after some weeks."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.models import RawPage

_SCHEMA: Final = (
    """
CREATE TABLE raw_pages (
    id INTEGER PRIMARY KEY, execution_id TEXT NOT NULL, page_no INTEGER NOT NULL, stored_at REAL NOT NULL,
    about BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (execution_id, page_no)
);
CREATE INDEX raw_pages_stored ON raw_pages (stored_at)
""",
)
_PIECE: Final = 100


class SqliteRawPages:
    """`RawPageStore` on SQLite; see the port for what each method promises."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA)

    async def open(self) -> None:
        """Create or upgrade the file. Raises StartupError when a newer version wrote it."""
        await self._file.open()

    async def put(self, pages: Sequence[RawPage], now: datetime) -> None:
        rows = [(page.execution_id, page.page_no, now.timestamp(), _about(page), page.body_zstd) for page in pages]
        sql = (
            "INSERT INTO raw_pages (execution_id, page_no, stored_at, about, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (execution_id, page_no) DO UPDATE SET about = excluded.about, body = excluded.body"
        )
        await self._file.write(lambda connection: connection.executemany(sql, rows))

    async def get(self, execution_id: str, page_no: int) -> RawPage | None:
        sql = "SELECT about, body FROM raw_pages WHERE execution_id = ? AND page_no = ?"
        row = await self._file.read(lambda connection: connection.execute(sql, (execution_id, page_no)).fetchone())
        return None if row is None else _page(*row)

    async def scan(self, after: str | None, size: int) -> tuple[list[RawPage], str | None]:
        sql = "SELECT id, about, body FROM raw_pages WHERE id > ? ORDER BY id LIMIT ?"
        rows = await self._file.read(lambda connection: connection.execute(sql, (int(after or 0), size)).fetchall())
        pages = [_page(about, body) for _, about, body in rows]
        return pages, str(rows[-1][0]) if len(rows) == size else None

    async def replace(self, page: RawPage, sha256: str) -> bool:
        return await self._file.write(lambda connection: _replace(connection, page, sha256))

    async def drop_before(self, moment: datetime) -> int:
        dropped = 0
        while count := await self._file.write(lambda connection: _drop(connection, moment)):
            dropped += count
        return dropped

    async def close(self) -> None:
        await self._file.close()


def _about(page: RawPage) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(page, body_zstd=b""))


def _page(about: bytes, body: bytes) -> RawPage:
    page = msgspec.json.decode(about, type=RawPage)
    page.body_zstd = body
    return page


def _replace(connection: sqlite3.Connection, page: RawPage, sha256: str) -> bool:
    """What is freed is overwritten."""
    place = (page.execution_id, page.page_no)
    sql = "SELECT about FROM raw_pages WHERE execution_id = ? AND page_no = ?"
    row = connection.execute(sql, place).fetchone()
    if row is None or _page(row[0], b"").sha256 != sha256:
        return False
    connection.execute("PRAGMA secure_delete = ON")
    sql = "UPDATE raw_pages SET about = ?, body = ? WHERE execution_id = ? AND page_no = ?"
    connection.execute(sql, (_about(page), page.body_zstd, *place))
    connection.execute("PRAGMA secure_delete = OFF")
    return True


def _drop(connection: sqlite3.Connection, moment: datetime) -> int:
    sql = "DELETE FROM raw_pages WHERE id IN (SELECT id FROM raw_pages WHERE stored_at < ? LIMIT ?)"
    return connection.execute(sql, (moment.timestamp(), _PIECE)).rowcount
