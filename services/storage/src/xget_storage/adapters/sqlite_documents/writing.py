"""Bulk writes of a batch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from xget_storage.adapters.sqlite_documents.batch import Changes, Entry, PageRow
from xget_storage.adapters.sqlite_rows import Columns, columns
from xget_storage.models import StoredItem
from xget_storage.service.counting import KeptAnswer
from xget_storage.service.revising import first_version

_ENCODER: Final = msgspec.json.Encoder()


def write(connection: sqlite3.Connection, changes: Changes, entries: Sequence[Entry]) -> None:
    """Write what a batch changed."""
    write_items(connection, entries)
    _write_sights(connection, changes)
    connection.executemany(
        "INSERT INTO authors (key, doc) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET doc = excluded.doc",
        [(key, _ENCODER.encode(author)) for key, author in sorted(changes.authors.items())],
    )
    connection.executemany(
        "INSERT INTO pages (run, page_no, digest, matched, context, fresh, updated, unchanged, answer)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, page_no) DO UPDATE SET digest = excluded.digest,"
        " matched = excluded.matched, context = excluded.context, fresh = excluded.fresh, updated = excluded.updated,"
        " unchanged = excluded.unchanged, answer = excluded.answer",
        [
            (run, page_no, row.digest, *msgspec.structs.astuple(row.counts), _ENCODER.encode(_kept(row)))
            for (run, page_no), row in changes.pages.items()
        ],
    )


def _kept(row: PageRow) -> KeptAnswer | None:
    return None if row.answer is None else KeptAnswer.of(row.answer, row.touched)


def write_items(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Insert or update items; index entries are touched only where their columns changed."""
    inserts: list[tuple[Any, ...]] = []
    documents: list[tuple[Any, ...]] = []
    moved: list[tuple[Any, ...]] = []
    owned: list[tuple[int, int, int]] = []
    left: list[tuple[int, int]] = []
    versions: list[tuple[str, int]] = []
    for entry, item in _present(entries):
        found = columns(item)
        document = _ENCODER.encode(item)
        if (first := first_version(item)) is not None:
            versions.append((first, entry.id))
        if entry.columns is None:
            inserts.append((entry.id, entry.key, item.rev, *found, document))
        elif entry.columns == found:
            documents.append((item.rev, document, entry.id))
        else:
            moved.append((item.rev, *found, document, entry.id))
            if entry.columns.at != found.at:
                left.append((entry.id, entry.columns.at))
                owned.extend((owner, found.at, entry.id) for owner in _owners(connection, entry))
        owned.extend((owner, found.at, entry.id) for owner in entry.new_owners)
        entry.columns = found
    connection.executemany(
        "INSERT INTO items (id, key, rev, kind, platform, lang, author, at, has_media, doc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        inserts,
    )
    connection.executemany("UPDATE items SET rev = ?, doc = ? WHERE id = ?", documents)
    connection.executemany(
        "UPDATE items SET rev = ?, kind = ?, platform = ?, lang = ?, author = ?, at = ?, has_media = ?, doc = ?"
        " WHERE id = ?",
        moved,
    )
    connection.executemany("DELETE FROM owned WHERE owner IN (SELECT id FROM owners) AND item = ? AND at = ?", left)
    connection.executemany("INSERT OR IGNORE INTO owned (owner, at, item) VALUES (?, ?, ?)", owned)
    connection.executemany("INSERT OR IGNORE INTO versions (first, item) VALUES (?, ?)", versions)


def _present(entries: Sequence[Entry]) -> Iterator[tuple[Entry, StoredItem]]:
    return ((entry, entry.item) for entry in entries if entry.item is not None)


def _owners(connection: sqlite3.Connection, entry: Entry) -> list[int]:
    at = entry.columns.at if isinstance(entry.columns, Columns) else 0
    sql = "SELECT owner FROM owned WHERE owner IN (SELECT id FROM owners) AND at = ? AND item = ?"
    return [owner for (owner,) in connection.execute(sql, (at, entry.id))]


def _write_sights(connection: sqlite3.Connection, changes: Changes) -> None:
    connection.executemany(
        "INSERT INTO sightings (seq, run, item, page_no, match_page, ord, seen_at, fresh, changed, metrics)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                sight.seq, run, item, sight.page_no, sight.match_page, sight.ord, sight.seen_at, sight.fresh,
                sight.changed, _metrics(sight.shown),
            )
            for run, item, sight in changes.sights
        ],
    )  # fmt: skip
    moved = changes.moved.items()
    connection.executemany(
        "UPDATE sightings SET page_no = ?, match_page = ?, changed = ? WHERE run = ? AND item = ?",
        [(sight.page_no, sight.match_page, sight.changed, run, item) for (run, item), sight in moved],
    )
    connection.executemany(
        "UPDATE sightings SET ord = ?, seen_at = ?, metrics = ? WHERE run = ? AND item = ?",
        [
            (sight.ord, sight.seen_at, _metrics(sight.shown), run, item)
            for (run, item), sight in moved
            if sight.shown is not None
        ],
    )
    connection.executemany(
        "INSERT INTO task_items (task, item, seq, matched) VALUES (?, ?, ?, ?)",
        [(task, item, seq, matched) for (task, item), (seq, matched) in changes.task_items.items()],
    )
    connection.executemany("UPDATE task_items SET matched = 1 WHERE task = ? AND item = ?", changes.task_matches)


def _metrics(shown: Any) -> bytes | None:
    return None if shown is None else _ENCODER.encode(shown.metrics)
