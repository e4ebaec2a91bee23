"""Lists of items."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from xget_kernel.pages import bad_cursor
from xget_storage.adapters.sqlite_rows import ITEM_DECODER, listed, micros, moment, number
from xget_storage.models import Sighted, StoredItem
from xget_storage.ports import ItemFilter, ItemPage, SightedPage

_LARGEST: Final = 2**63 - 1


def get(connection: sqlite3.Connection, key: str, owner: str | None) -> StoredItem | None:
    """One item, if `owner` has it."""
    row = connection.execute("SELECT doc FROM items WHERE key = ? AND doc IS NOT NULL", (key,)).fetchone()
    if row is None:
        return None
    item = ITEM_DECODER.decode(row[0])
    return item if owner is None or owner in item.seen_by else None


def load(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, StoredItem]:
    """Items by key."""
    sql = "SELECT key, doc FROM items WHERE key IN (SELECT value FROM json_each(?)) AND doc IS NOT NULL"
    return {key: ITEM_DECODER.decode(doc) for key, doc in connection.execute(sql, (listed(keys),))}


def versions(connection: sqlite3.Connection, first: str, owner: str | None) -> list[StoredItem]:
    """A post and its later versions that are there and that `owner` has, in no order."""
    sql = (
        "SELECT doc FROM items WHERE doc IS NOT NULL AND"
        " (key = ?1 OR id IN (SELECT item FROM versions WHERE first = ?1))"
    )
    found = [ITEM_DECODER.decode(doc) for (doc,) in connection.execute(sql, (first,))]
    return [item for item in found if owner is None or owner in item.seen_by]


def scan(connection: sqlite3.Connection, after: str | None, size: int) -> dict[str, StoredItem | int]:
    """Items by key, tombstones as revisions."""
    rows = connection.execute("SELECT key, rev, doc FROM items WHERE key > ? ORDER BY key LIMIT ?", (after or "", size))
    return {key: rev if doc is None else ITEM_DECODER.decode(doc) for key, rev, doc in rows}


def find(
    connection: sqlite3.Connection, wanted: ItemFilter, size: int, offset: int, after: Sequence[Any] | None
) -> ItemPage:
    """Items newest first."""
    source, conditions, values = _selection(connection, wanted)
    where = " AND ".join(conditions)
    total = 0
    if after is None:
        counted = "owned o" if " i." not in f" {where}" else source
        total = connection.execute(f"SELECT count(*) FROM {counted} WHERE {where}", values).fetchone()[0]  # noqa: S608 - constants
    else:
        where += " AND (o.at, o.item) < (?, ?)" if source.startswith("owned") else " AND (i.at, i.id) < (?, ?)"
        values = [*values, *_place(after)]
    order = "o.at DESC, o.item DESC" if source.startswith("owned") else "i.at DESC, i.id DESC"
    sql = f"SELECT i.at, i.id, i.doc FROM {source} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - constants
    rows = connection.execute(sql, [*values, size + 1, min(offset, _LARGEST)]).fetchall()
    more = len(rows) > size
    rows = rows[:size]
    cursor = [rows[-1][0], rows[-1][1]] if more else None
    return ItemPage(items=[ITEM_DECODER.decode(doc) for _, _, doc in rows], total=total, cursor=cursor)


def _place(after: Sequence[Any]) -> tuple[int, int]:
    match after:
        case [int(at), int(number)] if abs(at) <= _LARGEST and abs(number) <= _LARGEST:
            return at, number
    raise bad_cursor()


def _selection(connection: sqlite3.Connection, wanted: ItemFilter) -> tuple[str, list[str], list[Any]]:
    """Tables, conditions and values; rows of a task or execution belong to its owner, so those need no owner check."""
    conditions: list[str] = []
    values: list[Any] = []
    source = "items i"
    if wanted.task_id is not None or wanted.execution_id is not None:
        conditions.append(f"i.id IN ({_sighted_items(connection, wanted)})")
    elif wanted.owner is not None:
        owner = number(connection, "SELECT id FROM owners WHERE owner_id = ?", wanted.owner)
        if wanted.author is None:  # rows of `owned` are of items that are there
            source = "owned o CROSS JOIN items i ON i.id = o.item"
            conditions.append("o.owner = ?")
        else:
            conditions.append("EXISTS (SELECT 1 FROM owned o WHERE o.owner = ? AND o.at = i.at AND o.item = i.id)")
        values.append(owner)
    for condition, value in _column_filters(wanted):
        conditions.append(condition)
        values.append(value)
    if not source.startswith("owned"):
        conditions.append("i.at IS NOT NULL")  # tombstones have none; the index tells, without a look at documents
    return source, conditions, values


def _column_filters(wanted: ItemFilter) -> Iterator[tuple[str, Any]]:
    if wanted.author is not None:
        yield "i.author = ?", wanted.author.casefold()
    for column in ("lang", "kind", "platform"):
        if (value := getattr(wanted, column)) is not None:
            yield f"i.{column} = ?", value
    if wanted.since is not None:
        yield "i.at >= ?", micros(wanted.since)
    if wanted.until is not None:
        yield "i.at < ?", micros(wanted.until)
    if wanted.has_media is not None:
        yield "i.has_media = ?", int(wanted.has_media)


def _sighted_items(connection: sqlite3.Connection, wanted: ItemFilter) -> str:
    if wanted.execution_id is None:
        role = {"match": " AND matched = 1", "context": " AND matched = 0", None: ""}[wanted.role]
        return f"SELECT item FROM task_items WHERE task IN ({_tasks(connection, wanted)}){role}"  # noqa: S608 - numbers
    role = {"match": " AND match_page IS NOT NULL", "context": " AND match_page IS NULL", None: ""}[wanted.role]
    run, task = _run(connection, wanted)
    listed_items = f"sightings s JOIN task_items t ON t.task = {task} AND t.item = s.item"
    return f"SELECT s.item FROM {listed_items} WHERE s.run = {run}{role}"  # noqa: S608 - numbers


def _tasks(connection: sqlite3.Connection, wanted: ItemFilter) -> str:
    """Numbers of the task, separated by commas."""
    sql = (
        "SELECT t.id FROM tasks t JOIN owners o ON o.id = t.owner"
        " WHERE t.task_id = ?1 AND coalesce(?2, o.owner_id) = o.owner_id"
    )
    return ", ".join(str(row[0]) for row in connection.execute(sql, (wanted.task_id, wanted.owner)))


def _run(connection: sqlite3.Connection, wanted: ItemFilter) -> tuple[int, int]:
    """Numbers of the execution and of its task; 0 when there is none that fits."""
    sql = (
        "SELECT r.id, r.task FROM runs r JOIN owners o ON o.id = r.owner JOIN tasks t ON t.id = r.task"
        " WHERE r.execution_id = ?1 AND coalesce(?2, o.owner_id) = o.owner_id"
        " AND coalesce(?3, t.task_id) = t.task_id"
    )
    row = connection.execute(sql, (wanted.execution_id, wanted.owner, wanted.task_id)).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


def sighted(connection: sqlite3.Connection, wanted: ItemFilter, size: int, after: int, counted: bool) -> SightedPage:
    """Items of a task or execution, oldest sighting first."""
    source, seq, matched = _sighted_source(connection, wanted)
    sql = f"SELECT count(*), coalesce(sum({matched}), 0) FROM {source}"  # noqa: S608 - numbers
    total, matches = connection.execute(sql).fetchone() if counted else (0, 0)
    role = {"match": f" AND {matched} = 1", "context": f" AND {matched} = 0", None: ""}[wanted.role]
    sql = (
        f"SELECT p.seq, p.matched, r.execution_id, s.seen_at, i.doc FROM (SELECT {seq} AS seq, {matched} AS matched"  # noqa: S608 - numbers
        f" FROM {source} AND {seq} > ?{role} ORDER BY {seq} LIMIT ?) p"
        " CROSS JOIN sightings s ON s.seq = p.seq JOIN runs r ON r.id = s.run JOIN items i ON i.id = s.item"
        " ORDER BY p.seq"
    )
    rows = connection.execute(sql, (min(after, _LARGEST), size + 1)).fetchall()
    items = [_sighted(*row) for row in rows[:size]]
    cursor = items[-1].seq if len(rows) > size else None
    return SightedPage(items=items, total=total, matched=matches, cursor=cursor)


def _sighted(seq: int, matched: int, execution_id: str, seen_at: int, doc: bytes) -> Sighted:
    return Sighted(
        seq=seq,
        item=ITEM_DECODER.decode(doc),
        role="match" if matched else "context",
        execution_id=execution_id,
        seen_at=moment(seen_at),
    )


def _sighted_source(connection: sqlite3.Connection, wanted: ItemFilter) -> tuple[str, str, str]:
    """Rows to list, and their expressions of place and match."""
    if wanted.execution_id is None:
        return f"task_items t WHERE t.task IN ({_tasks(connection, wanted)})", "t.seq", "t.matched"
    run, task = _run(connection, wanted)
    source = f"sightings x JOIN task_items t ON t.task = {task} AND t.item = x.item WHERE x.run = {run}"
    return source, "x.seq", "(x.match_page IS NOT NULL)"
