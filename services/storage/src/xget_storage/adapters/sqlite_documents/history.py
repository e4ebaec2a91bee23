"""How executions saw an item. Its own tasks lead to its sightings, so no index on items slows down collecting."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from xget_contracts.items import Metrics
from xget_storage.adapters.sqlite_documents.reading import get
from xget_storage.adapters.sqlite_rows import listed, moment, number
from xget_storage.errors import no_such_item
from xget_storage.models import Sighting

_METRICS: Final = msgspec.json.Decoder(Metrics)
_SIGHTS: Final = (
    "SELECT t.task_id, r.execution_id, s.page_no, s.match_page, s.seen_at, s.metrics FROM owners o"
    " CROSS JOIN tasks t ON t.owner = o.id CROSS JOIN runs r ON r.task = t.id"
    " CROSS JOIN sightings s ON s.run = r.id AND s.item = ?"
    " WHERE o.owner_id = ? AND t.task_id IN (SELECT value FROM json_each(?)) AND s.metrics IS NOT NULL"
)


def sightings(connection: sqlite3.Connection, key: str, owner: str | None) -> list[Sighting]:
    """All of them, in no order. Raises ItemNotFound."""
    item = get(connection, key, owner)
    if item is None:
        raise no_such_item(key)
    found = number(connection, "SELECT id FROM items WHERE key = ?", key)
    return [
        Sighting(
            seen_at=moment(seen_at), execution_id=execution, task_id=task, owner_id=who, page_no=page_no,
            match_page=match_page, metrics=_METRICS.decode(metrics),
        )
        for who, tasks in item.seen_by.items()
        if owner in (None, who)
        for task, execution, page_no, match_page, seen_at, metrics in connection.execute(
            _SIGHTS, (found, who, listed(tasks))
        )
    ]  # fmt: skip
