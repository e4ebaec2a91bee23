"""What is written for items, their deletion, and a rebuild."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from xget_storage.adapters.sqlite_rows import columns, listed, number
from xget_storage.models import StoredItem
from xget_storage.service.analysis import Analyzer

_ANY_TASK: Final = ""


class _Row(NamedTuple):
    """What is known of a key; `terms` None is a deletion."""

    id: int
    rev: int
    terms: int | None
    rebuilt: int


class Indexing:
    """One transaction's work. With `anew`, rows that the running rebuild has not met are replaced in any case."""

    def __init__(self, connection: sqlite3.Connection, analyzer: Analyzer, *, anew: bool = False) -> None:
        self._connection = connection
        self._analyzer = analyzer
        self._anew = anew
        self._rebuild = number(connection, "SELECT number FROM rebuilds") or 0
        self._rows: list[tuple[Any, ...]] = []
        self._words: list[tuple[int, str]] = []
        self._scopes: list[tuple[int, str, str]] = []
        self._old_words: list[tuple[int]] = []
        self._old_scopes: list[tuple[int]] = []

    def run(self, items: Sequence[StoredItem]) -> None:
        """Take over the newest revisions."""
        known = _known(self._connection, [item.key for item in items])
        next_id = (number(self._connection, "SELECT max(id) FROM found") or 0) + 1
        newest = {item.key: item for item in items if self._wanted(item, known.get(item.key))}
        for key, item in newest.items():
            self._add(item, next_id, known.get(key))
            next_id += key not in known
        self._write()

    def _wanted(self, item: StoredItem, row: _Row | None) -> bool:
        return row is None or item.rev > row.rev or (self._anew and row.rebuilt < self._rebuild)

    def _add(self, item: StoredItem, next_id: int, row: _Row | None) -> None:
        text = self._analyzer.item_terms(item)
        digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
        found = next_id if row is None else row.id
        if row is not None:
            self._old_scopes.append((found,))
        if row is None or row.terms != digest or self._anew:
            self._words.append((found, text))
            if row is not None and row.terms is not None:
                self._old_words.append((found,))
        self._rows.append((found, item.key, item.rev, digest, *columns(item), self._rebuild))
        self._scopes.extend((found, *scope) for scope in _scopes(item))

    def _write(self) -> None:
        run = self._connection.executemany
        run("DELETE FROM scopes WHERE id = ?", self._old_scopes)
        run("DELETE FROM words WHERE rowid = ?", self._old_words)
        run(
            "INSERT INTO found (id, key, rev, deleted, terms, kind, platform, lang, author, at, has_media, rebuilt)"
            " VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET rev = excluded.rev,"
            " deleted = 0, terms = excluded.terms, kind = excluded.kind, platform = excluded.platform,"
            " lang = excluded.lang, author = excluded.author, at = excluded.at, has_media = excluded.has_media,"
            " rebuilt = excluded.rebuilt",
            self._rows,
        )
        run("INSERT INTO words (rowid, terms) VALUES (?, ?)", self._words)
        run("INSERT OR IGNORE INTO scopes (id, owner, task) VALUES (?, ?, ?)", self._scopes)


def _scopes(item: StoredItem) -> Iterator[tuple[str, str]]:
    for owner, tasks in item.seen_by.items():
        yield owner, _ANY_TASK
        for task in tasks:
            yield owner, task


def _known(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, _Row]:
    sql = "SELECT key, id, rev, terms, rebuilt FROM found WHERE key IN (SELECT value FROM json_each(?))"
    return {key: _Row(*row) for key, *row in connection.execute(sql, (listed(keys),))}


def delete(connection: sqlite3.Connection, revs: Mapping[str, int], *, anew: bool = False) -> None:
    """Leave a revision in the place of each item, so that an older one which arrives late stays out."""
    known = _known(connection, list(revs))
    rebuild = number(connection, "SELECT number FROM rebuilds") or 0
    for key, rev in revs.items():
        row = known.get(key)
        if row is None:
            sql = "INSERT INTO found (key, rev, deleted, rebuilt) VALUES (?, ?, 1, ?)"
            connection.execute(sql, (key, rev, rebuild))
        elif rev >= row.rev or (anew and row.rebuilt < rebuild):
            forget(connection, row.id, row.terms)
            connection.execute(
                "UPDATE found SET rev = ?, deleted = 1, terms = NULL, kind = NULL, platform = NULL, lang = NULL,"
                " author = NULL, at = NULL, has_media = NULL, rebuilt = ? WHERE id = ?",
                (rev, rebuild, row.id),
            )


def forget(connection: sqlite3.Connection, found: int, terms: int | None) -> None:
    """Delete what belongs to a row."""
    if terms is not None:
        connection.execute("DELETE FROM words WHERE rowid = ?", (found,))
    connection.execute("DELETE FROM scopes WHERE id = ?", (found,))
