"""Between structs and rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from xget_storage.models import StoredItem

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

ITEM_DECODER: Final = msgspec.json.Decoder(StoredItem)


class Columns(NamedTuple):
    """What lists filter and sort by."""

    kind: str
    platform: str
    lang: str | None
    author: str | None
    at: int
    has_media: int


def columns(item: StoredItem) -> Columns:
    """The columns of an item as its owners see it."""
    shown = item.visible()
    author = shown.author_username.casefold() if shown.author_username else None
    at = micros(shown.created_at or shown.first_seen)
    return Columns(shown.kind, shown.platform, shown.lang, author, at, bool(shown.media))


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that `micros` counted."""
    return _EPOCH + timedelta(microseconds=value)


def listed(values: Iterable[Any]) -> str:
    """A list as one parameter: `IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(values))


def number(connection: sqlite3.Connection, sql: str, *values: Any) -> int | None:
    """The one number that a query answers, None when there is no row."""
    row = connection.execute(sql, values).fetchone()
    return None if row is None else row[0]


def owner_number(connection: sqlite3.Connection, owner_id: str) -> int:
    """The number of an owner; made at the first sight."""
    found = number(connection, "SELECT id FROM owners WHERE owner_id = ?", owner_id)
    if found is None:
        found = connection.execute("INSERT INTO owners (owner_id) VALUES (?)", (owner_id,)).lastrowid
    return int(found or 0)
