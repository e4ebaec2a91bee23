"""Authors who were taken down, and taking them down: each piece in one transaction."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

import msgspec

from xget_storage.adapters.sqlite_documents.batch import Entry
from xget_storage.adapters.sqlite_documents.changing import AUDIT, delete, write_down
from xget_storage.adapters.sqlite_documents.writing import write_items
from xget_storage.adapters.sqlite_rows import ITEM_DECODER, columns, listed, number
from xget_storage.models import AuditEntry, StoredItem, Takedown, fingerprint
from xget_storage.ports import Actor
from xget_storage.service.bans import Bans, emptied, is_empty

_TAKEDOWN: Final = msgspec.json.Decoder(Takedown)
_PIECE: Final = 2000
"""Items that one transaction looks at."""
_CANDIDATES: Final = (
    "SELECT id, key, doc FROM items WHERE id > ? AND id <= ? AND doc IS NOT NULL"
    " AND (instr(doc, ?) OR instr(doc, ?)) ORDER BY id"
)


def banned(connection: sqlite3.Connection) -> frozenset[str]:
    """Keys of authors who stay away."""
    return frozenset(author for (author,) in connection.execute("SELECT author FROM takedowns WHERE active = 1"))


def lifted(connection: sqlite3.Connection, items: str) -> dict[int, datetime]:
    """Those of the items (numbers as a JSON list) that went with an author who may be collected again; since when."""
    sql = (
        "SELECT e.item, t.doc FROM erased e JOIN takedowns t ON t.author = e.author"
        " WHERE e.whole = 1 AND t.active = 0 AND e.item IN (SELECT value FROM json_each(?))"
    )
    return {item: _TAKEDOWN.decode(doc).notes[-1].at for item, doc in connection.execute(sql, (items,))}


def bring_back(connection: sqlite3.Connection, item: int, owner: int) -> bool:
    """Let an item be stored again that a takedown deleted; False when this owner had deleted it too."""
    by_owner = "SELECT owner, entry FROM audit WHERE item = ? AND owner IS NOT NULL"
    deleted = {who for who, entry in connection.execute(by_owner, (item,)) if AUDIT.decode(entry).action == "delete"}
    if owner in deleted:
        return False
    connection.execute("DELETE FROM erased WHERE item = ?", (item,))
    sql = "DELETE FROM hidden WHERE item = ? AND owner NOT IN (SELECT value FROM json_each(?))"
    connection.execute(sql, (item, listed(deleted)))
    return True


def takedowns(connection: sqlite3.Connection, *, pending: bool) -> list[Takedown]:
    """All of them, or those with something left to do."""
    where = " WHERE pending = 1" if pending else ""
    rows = connection.execute(f"SELECT doc FROM takedowns{where} ORDER BY author")  # noqa: S608 - constants
    return [_TAKEDOWN.decode(doc) for (doc,) in rows]


def takedown(connection: sqlite3.Connection, author_key: str) -> Takedown | None:
    """That of one author."""
    row = connection.execute("SELECT doc FROM takedowns WHERE author = ?", (author_key,)).fetchone()
    return None if row is None else _TAKEDOWN.decode(row[0])


def put(connection: sqlite3.Connection, given: Takedown) -> bool:
    """Store it if nobody else has since it was read."""
    if (number(connection, "SELECT v FROM takedowns WHERE author = ?", given.author_key) or 0) != given.v:
        return False
    stored = msgspec.structs.replace(given, v=given.v + 1)
    connection.execute(
        "INSERT INTO takedowns (author, v, active, pending, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (author) DO UPDATE"
        " SET v = excluded.v, active = excluded.active, pending = excluded.pending, doc = excluded.doc",
        (stored.author_key, stored.v, stored.active, stored.pending, msgspec.json.encode(stored)),
    )
    return True


def erase(connection: sqlite3.Connection, author_key: str, after: str | None, by: Actor) -> str | None:
    """Take an author out of some items; what is freed is overwritten."""
    connection.execute("PRAGMA secure_delete = ON")
    try:
        connection.execute("DELETE FROM authors WHERE key = ?", (author_key,))
        return _piece(connection, author_key, int(after or 0), by)
    finally:
        connection.execute("PRAGMA secure_delete = OFF")


def _piece(connection: sqlite3.Connection, author_key: str, begin: int, by: Actor) -> str | None:
    bans, author_id = Bans([author_key]), author_key.partition(":")[2]
    end = begin + _PIECE
    found = connection.execute(_CANDIDATES, (begin, end, author_id.encode(), b'"reposted_id"')).fetchall()
    items = [(place, ITEM_DECODER.decode(doc)) for place, _, doc in found]
    for place, item in items:
        if bans.is_theirs(item):
            delete(connection, item.key, None, by)
            _remember(connection, place, author_key, whole=True)
    for place, item in items:
        copy = not bans.is_theirs(item) and (bans.is_copy(item) or _of_erased(connection, item, author_key))
        if copy and not is_empty(item):
            _empty(connection, place, item, by)
            _remember(connection, place, author_key, whole=False)
    last = number(connection, "SELECT max(id) FROM items") or 0
    return str(end) if end < last else None


def _of_erased(connection: sqlite3.Connection, item: StoredItem, author_key: str) -> bool:
    """Whether it reposts a post that was taken down."""
    sql = "SELECT 1 FROM items i JOIN erased e ON e.item = i.id WHERE i.key = ? AND e.author = ? AND e.whole = 1"
    return item.reposted_id is not None and (
        number(connection, sql, f"{item.platform}:{item.reposted_id}", author_key) is not None
    )


def _empty(connection: sqlite3.Connection, place: int, item: StoredItem, by: Actor) -> None:
    before = fingerprint(item)
    left = emptied(item)
    left.edits = {}
    left.rev = item.rev + 1
    write_items(connection, [Entry(place, item.key, left, columns(item))])
    entry = AuditEntry(
        key=item.key, action="edit", actor=by.user_id, at=by.at, before=before, after=fingerprint(left), fields=["text"]
    )
    write_down(connection, place, None, entry, left.rev)


def _remember(connection: sqlite3.Connection, place: int, author_key: str, *, whole: bool) -> None:
    sql = (
        "INSERT INTO erased (item, author, whole) VALUES (?, ?, ?) ON CONFLICT (item) DO UPDATE"
        " SET author = excluded.author, whole = excluded.whole"
    )
    connection.execute(sql, (place, author_key, whole))


def erased(connection: sqlite3.Connection, author_key: str) -> tuple[int, int]:
    """Items taken down, reposts emptied."""
    sql = "SELECT coalesce(sum(whole), 0), count(*) FROM erased WHERE author = ?"
    whole, rows = connection.execute(sql, (author_key,)).fetchone()
    return whole, rows - whole
