"""Changes by people: always audited, and never undone by a collection."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from xget_storage.adapters.sqlite_documents.batch import Entry
from xget_storage.adapters.sqlite_documents.reading import get
from xget_storage.adapters.sqlite_documents.writing import write_items
from xget_storage.adapters.sqlite_rows import columns, listed, number, owner_number
from xget_storage.errors import ItemChanged, ItemShared, no_such_item
from xget_storage.models import AuditEntry, StoredItem, fingerprint
from xget_storage.ports import Actor

AUDIT: Final = msgspec.json.Decoder(AuditEntry)


def add(connection: sqlite3.Connection, items: Sequence[StoredItem], actor: str) -> list[bool]:
    """Store new items; False for each whose key is taken."""
    sql = "SELECT key FROM items WHERE key IN (SELECT value FROM json_each(?))"
    taken = {key for (key,) in connection.execute(sql, (listed(item.key for item in items),))}
    next_id = (number(connection, "SELECT max(id) FROM items") or 0) + 1
    entries: list[Entry] = []
    outcome: list[bool] = []
    for item in items:
        outcome.append(item.key not in taken)
        if item.key not in taken:
            taken.add(item.key)
            owners = {owner_number(connection, owner) for owner in item.seen_by}
            entries.append(Entry(next_id + len(entries), item.key, item, None, new_owners=owners))
    write_items(connection, entries)
    for entry in entries:
        if entry.item is not None:
            note = AuditEntry(
                key=entry.key, action="create", actor=actor, at=entry.item.first_seen, before=None,
                after=fingerprint(entry.item),
            )  # fmt: skip
            write_down(connection, entry.id, actor, note, entry.item.rev)
    return outcome


def edit(
    connection: sqlite3.Connection, key: str, owner: str | None, edits: dict[str, Any], *, rev: int | None, by: Actor
) -> StoredItem:
    """Put edits over an item."""
    item = get(connection, key, owner)
    if item is None:
        raise no_such_item(key)
    if owner is not None and set(item.seen_by) != {owner}:
        raise ItemShared("Other people have this item too, so only an administrator can edit it.")
    if rev is not None and rev != item.rev:
        raise ItemChanged(f"The item is at revision {item.rev} now: read it again and repeat the change.")
    before, old = fingerprint(item), columns(item)
    merged = {**item.edits, **edits}
    item.edits = {name: value for name, value in merged.items() if value is not None}
    item.rev += 1
    entry = Entry(number(connection, "SELECT id FROM items WHERE key = ?", key) or 0, key, item, old)
    write_items(connection, [entry])
    note = AuditEntry(
        key=key, action="edit", actor=by.user_id, at=by.at, before=before, after=fingerprint(item), fields=sorted(edits)
    )
    write_down(connection, entry.id, owner, note, item.rev)
    return item


def delete(connection: sqlite3.Connection, key: str, owner: str | None, by: Actor) -> None:
    """Take an item from one owner, or from all."""
    item = get(connection, key, owner)
    if item is None:
        raise no_such_item(key)
    before = fingerprint(item)
    leaving = list(item.seen_by) if owner is None else [owner]
    found = number(connection, "SELECT id FROM items WHERE key = ?", key) or 0
    at = columns(item).at
    for name in leaving:
        _forget(connection, found, at, owner_number(connection, name))
        del item.seen_by[name]
    item.rev += 1
    after = None
    if item.seen_by:
        write_items(connection, [Entry(found, key, item, columns(item))])
        after = fingerprint(item)
    else:
        connection.execute(
            "UPDATE items SET rev = ?, kind = NULL, platform = NULL, lang = NULL, author = NULL, at = NULL,"
            " has_media = NULL, doc = NULL WHERE id = ?",
            (item.rev, found),
        )
    note = AuditEntry(key=key, action="delete", actor=by.user_id, at=by.at, before=before, after=after)
    write_down(connection, found, owner, note, item.rev)


def _forget(connection: sqlite3.Connection, item: int, at: int, owner: int) -> None:
    connection.execute("DELETE FROM owned WHERE owner = ? AND at = ? AND item = ?", (owner, at, item))
    connection.execute(
        "DELETE FROM task_items WHERE task IN (SELECT id FROM tasks WHERE owner = ?) AND item = ?", (owner, item)
    )
    connection.execute(
        "UPDATE sightings SET metrics = NULL WHERE run IN (SELECT id FROM runs WHERE owner = ?) AND item = ?",
        (owner, item),
    )
    connection.execute("INSERT OR IGNORE INTO hidden (item, owner) VALUES (?, ?)", (item, owner))


def write_down(connection: sqlite3.Connection, item: int, owner: str | None, note: AuditEntry, rev: int) -> None:
    """Write down a change, and that search has to take it over."""
    owner_id = None if owner is None else owner_number(connection, owner)
    sql = "INSERT INTO audit (item, owner, entry) VALUES (?, ?, ?)"
    connection.execute(sql, (item, owner_id, msgspec.json.encode(note)))
    sql = "INSERT INTO unindexed (key, rev) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET rev = excluded.rev"
    connection.execute(sql, (note.key, rev))


def audit(connection: sqlite3.Connection, key: str, owner: str | None) -> list[AuditEntry]:
    """Changes of an item that `owner` may see."""
    item = number(connection, "SELECT id FROM items WHERE key = ?", key)
    if item is None:
        raise no_such_item(key)
    if owner is None:
        rows = connection.execute("SELECT entry FROM audit WHERE item = ? ORDER BY seq", (item,))
        return [AUDIT.decode(entry) for (entry,) in rows]
    asking = number(connection, "SELECT id FROM owners WHERE owner_id = ?", owner)
    had = number(connection, "SELECT 1 FROM hidden WHERE item = ? AND owner = ?", item, asking)
    if asking is None or (had is None and get(connection, key, owner) is None):
        raise no_such_item(key)
    sql = "SELECT entry FROM audit WHERE item = ? AND (owner IS NULL OR owner = ?) ORDER BY seq"
    return [AUDIT.decode(entry) for (entry,) in connection.execute(sql, (item, asking))]


def unindexed(connection: sqlite3.Connection, size: int) -> dict[str, StoredItem | int]:
    """What search has still to take over."""
    sql = "SELECT u.key, i.rev FROM unindexed u JOIN items i ON i.key = u.key LIMIT ?"
    from_rows: dict[str, StoredItem | int] = {}
    for key, rev in connection.execute(sql, (size,)):
        item = get(connection, key, None)
        from_rows[key] = rev if item is None else item
    return from_rows
