"""SQL of topics and records. Every function runs in the thread of its connection; writers begin their transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from xget_events.log import TopicSpec
from xget_events.sqlite.schema import SHIFT
from xget_events.sqlite.transaction import transaction

Row = tuple[int, int, str, str, bytes]
"""partition id, time in µs, key, headers as JSON, value"""

EXPIRE_ROWS = 2000
"""Records deleted in one transaction: short enough not to be felt by publishers."""


class TopicInfo(NamedTuple):
    """A topic as created: its partition ids in order of their number, and the largest body."""

    partitions: tuple[int, ...]
    max_bytes: int


class Span(NamedTuple):
    """Where to read on: a partition and the offset of its next record."""

    partition: int
    offset: int


class Stored(NamedTuple):
    """A record as it lies in the file."""

    partition: int
    offset: int
    at: int
    key: str
    headers: str
    value: bytes


def create_topics(connection: sqlite3.Connection, specs: Iterable[TopicSpec]) -> None:
    """Make what is missing. A topic keeps the partitions it was made with; its retention follows the spec."""
    with transaction(connection):
        for spec in specs:
            connection.execute(
                "INSERT INTO topics VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " retention_hours = excluded.retention_hours, max_bytes = excluded.max_bytes",
                (spec.name, spec.retention_hours, spec.max_message_mb << 20),
            )
            (made,) = connection.execute("SELECT COUNT(*) FROM partitions WHERE topic = ?", (spec.name,)).fetchone()
            if not made:
                rows = [(spec.name, number) for number in range(spec.partitions)]
                connection.executemany("INSERT INTO partitions (topic, number) VALUES (?, ?)", rows)


def topics(connection: sqlite3.Connection) -> dict[str, TopicInfo]:
    """All topics by name."""
    query = (
        "SELECT p.topic, p.id, t.max_bytes FROM partitions p JOIN topics t ON t.name = p.topic"
        " ORDER BY p.topic, p.number"
    )
    found: dict[str, TopicInfo] = {}
    for topic, partition, max_bytes in connection.execute(query):
        known = found.get(topic, TopicInfo((), max_bytes))
        found[topic] = TopicInfo((*known.partitions, partition), max_bytes)
    return found


def publish(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Append rows in one transaction that is on the disk at return; offsets go on without a gap."""
    with transaction(connection):
        ends: dict[int, int] = {}
        numbered = []
        for partition, *rest in rows:
            if partition not in ends:
                (ends[partition],) = connection.execute(
                    "SELECT next FROM partitions WHERE id = ?", (partition,)
                ).fetchone()
            numbered.append(((partition << SHIFT) | ends[partition], *rest))
            ends[partition] += 1
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", numbered)
        connection.executemany("UPDATE partitions SET next = ? WHERE id = ?", [(n, p) for p, n in ends.items()])


def read(connection: sqlite3.Connection, spans: Sequence[Span], max_records: int, max_bytes: int) -> list[Stored]:
    """Up to `max_records` records from the spans, in the order of the spans; stops once `max_bytes` are passed."""
    found: list[Stored] = []
    size = 0
    for partition, offset in spans:
        base = partition << SHIFT
        cursor = connection.execute(
            "SELECT id, at, key, headers, value FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (base | offset, base + (1 << SHIFT), max_records - len(found)),
        )
        for rowid, at, key, headers, value in cursor:
            found.append(Stored(partition, rowid - base, at, key, headers, value))
            size += len(value)
            if size >= max_bytes:
                return found
        if len(found) >= max_records:
            break
    return found


def expire(connection: sqlite3.Connection, now: int) -> int:
    """Delete records past their topic's retention that every group of the topic has committed; how many it were.

    Takes at most `EXPIRE_ROWS` of each partition, so call again while it finds any.
    """
    removed = 0
    limits = connection.execute(
        "SELECT p.id, p.start, t.retention_hours, COALESCE(MIN(c.committed), p.next) FROM partitions p"
        " JOIN topics t ON t.name = p.topic LEFT JOIN claims c ON c.partition_id = p.id"
        " WHERE t.retention_hours > 0 GROUP BY p.id HAVING p.start < p.next"
    ).fetchall()
    for partition, start, hours, floor in limits:
        removed += _expire_partition(connection, partition, start, floor, now - int(hours * 3_600_000_000))
    if removed:
        connection.execute("PRAGMA incremental_vacuum(4000)").fetchall()
    return removed


def _expire_partition(connection: sqlite3.Connection, partition: int, start: int, floor: int, before: int) -> int:
    """Delete one partition's old records below the floor; time order is offset order within a partition."""
    base = partition << SHIFT
    old = start
    query = "SELECT id, at FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    for rowid, at in connection.execute(query, (base | start, base | floor, EXPIRE_ROWS)):
        if at >= before:
            break
        old = rowid - base + 1
    if old == start:
        return 0
    with transaction(connection):
        gone = connection.execute("DELETE FROM records WHERE id >= ? AND id < ?", (base | start, base | old))
        connection.execute("UPDATE partitions SET start = ? WHERE id = ?", (old, partition))
        return gone.rowcount
