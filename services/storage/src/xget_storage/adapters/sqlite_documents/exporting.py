"""All that the file holds, in pieces, read on a connection that the caller opened (and that may be read-only)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from xget_contracts.events import PageStored
from xget_contracts.items import Metrics
from xget_storage.adapters.sqlite_documents.schema import SCHEMA
from xget_storage.adapters.sqlite_rows import ITEM_DECODER, listed
from xget_storage.models import AuditEntry, StoredAuthor, Takedown
from xget_storage.schemas.archive import (
    Archived,
    ArchivedAuthor,
    ArchivedChange,
    ArchivedExecution,
    ArchivedItem,
    ArchivedPage,
    ArchivedSighting,
    ArchivedTakedown,
    ArchivedTask,
    Kind,
)

LAYOUT: Final = len(SCHEMA)
"""`user_version` of the file that this release reads."""

_TABLES: Final[dict[Kind, str]] = {
    "executions": "runs",
    "items": "items",
    "sightings": "sightings",
    "pages": "pages",
    "authors": "authors",
    "audit": "audit",
    "takedowns": "takedowns",
}
_AUTHOR: Final = msgspec.json.Decoder(StoredAuthor)
_TAKEDOWN: Final = msgspec.json.Decoder(Takedown)
_ANSWER: Final = msgspec.json.Decoder(PageStored)
_METRICS: Final = msgspec.json.Decoder(Metrics)
_ENTRY: Final = msgspec.json.Decoder(AuditEntry)


class Placed(NamedTuple):
    """A record and where to read on behind it."""

    place: int
    record: Archived


def count(connection: sqlite3.Connection, kind: Kind) -> int:
    """How many records there are."""
    return int(connection.execute(f"SELECT count(*) FROM {_TABLES[kind]}").fetchone()[0])  # noqa: S608 - constants


def read(connection: sqlite3.Connection, kind: Kind, after: int, size: int) -> list[Placed]:
    """The next `size` records behind the place `after` (0 at the beginning); empty at the end."""
    return _READERS[kind](connection, after, size)


def _executions(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = (
        "SELECT r.id, r.execution_id, t.task_id, o.owner_id,"
        " (SELECT count(*) FROM runs x WHERE x.task = r.task AND x.id <= r.id)"
        " FROM runs r JOIN tasks t ON t.id = r.task JOIN owners o ON o.id = r.owner WHERE r.id > ?"
        " ORDER BY r.id LIMIT ?"
    )
    return [
        Placed(place, ArchivedExecution(execution_id=execution, task_id=task, owner_id=owner, n=n))
        for place, execution, task, owner, n in connection.execute(sql, (after, size))
    ]


def _items(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = (
        "SELECT i.id, i.key, i.rev, i.doc, e.author FROM items i LEFT JOIN erased e ON e.item = i.id"
        " WHERE i.id > ? ORDER BY i.id LIMIT ?"
    )
    rows = connection.execute(sql, (after, size)).fetchall()
    hidden: dict[int, list[str]] = {}
    sql = (
        "SELECT h.item, o.owner_id FROM hidden h JOIN owners o ON o.id = h.owner"
        " WHERE h.item IN (SELECT value FROM json_each(?))"
    )
    for item, owner in connection.execute(sql, (listed(row[0] for row in rows),)):
        hidden.setdefault(item, []).append(owner)
    found = []
    for place, key, rev, doc, author in rows:
        item = None if doc is None else ITEM_DECODER.decode(doc)
        seen_by = item.seen_by if item else {}
        tasks = [_task(connection, place, owner, task) for owner, tasks in seen_by.items() for task in tasks]
        record = ArchivedItem(key=key, rev=rev, item=item, tasks=tasks, hidden=hidden.get(place, []), forgotten=author)
        found.append(Placed(place, record))
    return found


def _task(connection: sqlite3.Connection, item: int, owner: str, task: str) -> ArchivedTask:
    sql = (
        "SELECT r.execution_id, l.matched FROM tasks t JOIN owners o ON o.id = t.owner"
        " JOIN task_items l ON l.task = t.id AND l.item = ?3 JOIN sightings s ON s.seq = l.seq"
        " JOIN runs r ON r.id = s.run WHERE t.task_id = ?1 AND o.owner_id = ?2"
    )
    execution, matched = connection.execute(sql, (task, owner, item)).fetchone() or ("", 0)
    return ArchivedTask(task_id=task, owner_id=owner, execution_id=execution, match=bool(matched))


def _sightings(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = (
        "SELECT s.seq, r.execution_id, i.key, t.task_id, o.owner_id, s.page_no, s.match_page, s.ord, s.seen_at,"
        " s.fresh, s.changed, s.metrics FROM sightings s CROSS JOIN runs r ON r.id = s.run"
        " JOIN items i ON i.id = s.item JOIN tasks t ON t.id = r.task"
        " JOIN owners o ON o.id = r.owner WHERE s.seq > ? ORDER BY s.seq LIMIT ?"
    )
    return [_sighting(row) for row in connection.execute(sql, (after, size))]


def _sighting(row: Sequence[Any]) -> Placed:
    place, execution, key, task, owner, page_no, match_page, ord_, seen_at, fresh, changed, metrics = row
    record = ArchivedSighting(
        execution_id=execution, key=key, task_id=task, owner_id=owner, page_no=page_no, match_page=match_page,
        ord=ord_, seen_at=seen_at, fresh=bool(fresh), changed=bool(changed),
        metrics=None if metrics is None else _METRICS.decode(metrics),
    )  # fmt: skip
    return Placed(place, record)


def _pages(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = (
        "SELECT p.rowid, r.execution_id, p.page_no, p.digest, p.answer FROM pages p JOIN runs r ON r.id = p.run"
        " WHERE p.rowid > ? ORDER BY p.rowid LIMIT ?"
    )
    return [
        Placed(
            place,
            ArchivedPage(execution_id=execution, page_no=page_no, digest=digest.hex(), answer=_ANSWER.decode(answer)),
        )
        for place, execution, page_no, digest, answer in connection.execute(sql, (after, size))
    ]


def _authors(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = "SELECT rowid, doc FROM authors WHERE rowid > ? ORDER BY rowid LIMIT ?"
    return [
        Placed(place, ArchivedAuthor(author=_AUTHOR.decode(doc)))
        for place, doc in connection.execute(sql, (after, size))
    ]


def _changes(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = (
        "SELECT a.seq, i.key, o.owner_id, a.entry,"
        " -(SELECT count(*) FROM audit b WHERE b.item = a.item AND b.seq > a.seq)"
        " FROM audit a JOIN items i ON i.id = a.item LEFT JOIN owners o ON o.id = a.owner"
        " WHERE a.seq > ? ORDER BY a.seq LIMIT ?"
    )
    return [
        Placed(place, ArchivedChange(key=key, n=n, owner=owner, entry=_ENTRY.decode(entry)))
        for place, key, owner, entry, n in connection.execute(sql, (after, size))
    ]


def _takedowns(connection: sqlite3.Connection, after: int, size: int) -> list[Placed]:
    sql = "SELECT id, doc FROM takedowns WHERE id > ? ORDER BY id LIMIT ?"
    return [
        Placed(place, ArchivedTakedown(takedown=_TAKEDOWN.decode(doc)))
        for place, doc in connection.execute(sql, (after, size))
    ]


_READERS: Final[dict[Kind, Callable[[sqlite3.Connection, int, int], list[Placed]]]] = {
    "executions": _executions,
    "items": _items,
    "sightings": _sightings,
    "pages": _pages,
    "authors": _authors,
    "audit": _changes,
    "takedowns": _takedowns,
}
