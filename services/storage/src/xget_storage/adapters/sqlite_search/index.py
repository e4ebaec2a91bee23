"""The search index on one SQLite file: FTS5 over tokens that are made before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from xget_storage.adapters.sqlite_file import SqliteFile
from xget_storage.adapters.sqlite_rows import columns, listed, number
from xget_storage.adapters.sqlite_search.querying import search
from xget_storage.adapters.sqlite_search.schema import SCHEMA
from xget_storage.models import StoredItem
from xget_storage.ports import SearchPage, SearchQuery
from xget_storage.service.analysis import Analyzer

_ANY_TASK: Final = ""


class SqliteSearch:
    """`SearchIndex` on SQLite; see the port for what each method promises."""

    def __init__(self, path: Path, analyzer: Analyzer) -> None:
        self._file = SqliteFile(path, SCHEMA)
        self._analyzer = analyzer

    async def open(self) -> None:
        """Create or upgrade the file. Raises StartupError when a newer version wrote it."""
        await self._file.open()

    async def index(self, items: Sequence[StoredItem]) -> None:
        if items:
            await self._file.write(lambda connection: _Indexing(connection, self._analyzer).run(items))

    async def delete(self, revs: dict[str, int]) -> None:
        if revs:
            await self._file.write(lambda connection: _delete(connection, revs))

    async def search(self, query: SearchQuery) -> SearchPage:
        return await self._file.read(lambda connection: search(connection, query, self._analyzer))

    async def close(self) -> None:
        await self._file.close()


class _Indexing:
    """One transaction's work."""

    def __init__(self, connection: sqlite3.Connection, analyzer: Analyzer) -> None:
        self._connection = connection
        self._analyzer = analyzer
        self._rows: list[tuple[Any, ...]] = []
        self._words: list[tuple[int, str]] = []
        self._scopes: list[tuple[int, str, str]] = []
        self._old_words: list[tuple[int]] = []
        self._old_scopes: list[tuple[int]] = []

    def run(self, items: Sequence[StoredItem]) -> None:
        known = _known(self._connection, [item.key for item in items])
        next_id = (number(self._connection, "SELECT max(id) FROM found") or 0) + 1
        newest = {item.key: item for item in items if item.key not in known or item.rev > known[item.key][1]}
        for key, item in newest.items():
            if key in known:
                self._add(item, known[key][0], known[key][2], known_before=True)
            else:
                self._add(item, next_id, None, known_before=False)
                next_id += 1
        self._write()

    def _add(self, item: StoredItem, found: int, old_digest: int | None, *, known_before: bool) -> None:
        text = self._analyzer.item_terms(item)
        digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
        if known_before:
            self._old_scopes.append((found,))
        if digest != old_digest:
            self._words.append((found, text))
            if old_digest is not None:
                self._old_words.append((found,))
        self._rows.append((found, item.key, item.rev, digest, *columns(item)))
        self._scopes.extend((found, *scope) for scope in _scopes(item))

    def _write(self) -> None:
        run = self._connection.executemany
        run("DELETE FROM scopes WHERE id = ?", self._old_scopes)
        run("DELETE FROM words WHERE rowid = ?", self._old_words)
        run(
            "INSERT INTO found (id, key, rev, deleted, terms, kind, platform, lang, author, at, has_media)"
            " VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, deleted = 0,"
            " terms = excluded.terms, kind = excluded.kind, platform = excluded.platform, lang = excluded.lang,"
            " author = excluded.author, at = excluded.at, has_media = excluded.has_media",
            self._rows,
        )
        run("INSERT INTO words (rowid, terms) VALUES (?, ?)", self._words)
        run("INSERT OR IGNORE INTO scopes (id, owner, task) VALUES (?, ?, ?)", self._scopes)


def _scopes(item: StoredItem) -> Iterator[tuple[str, str]]:
    for owner, tasks in item.seen_by.items():
        yield owner, _ANY_TASK
        for task in tasks:
            yield owner, task


def _known(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, tuple[int, int, int | None]]:
    sql = "SELECT key, id, rev, terms FROM found WHERE key IN (SELECT value FROM json_each(?))"
    return {key: (found, rev, terms) for key, found, rev, terms in connection.execute(sql, (listed(keys),))}


def _delete(connection: sqlite3.Connection, revs: dict[str, int]) -> None:
    known = _known(connection, list(revs))
    for key, rev in revs.items():
        found, old, terms = known.get(key, (None, 0, None))
        if rev < old:
            continue
        if found is None:
            connection.execute("INSERT INTO found (key, rev, deleted) VALUES (?, ?, 1)", (key, rev))
            continue
        if terms is not None:
            connection.execute("DELETE FROM words WHERE rowid = ?", (found,))
        connection.execute("DELETE FROM scopes WHERE id = ?", (found,))
        connection.execute(
            "UPDATE found SET rev = ?, deleted = 1, terms = NULL, kind = NULL, platform = NULL, lang = NULL,"
            " author = NULL, at = NULL, has_media = NULL WHERE id = ?",
            (rev, found),
        )
