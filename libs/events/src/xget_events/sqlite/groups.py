"""SQL of consumer groups: members with leases, claims on partitions with epochs, committed offsets.

A claim's epoch grows each time that it changes hands, so that a commit under an older one is refused. None of this
waits for the disk: what a power cut undoes here is read again, never lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from xget_events.assignment import assign
from xget_events.sqlite.transaction import transaction


class Seat(NamedTuple):
    """A member of a group as one process runs it. `instance` is new with each start, `name` may be kept."""

    instance: str
    group: str
    name: str
    topics: frozenset[str]


class Claim(NamedTuple):
    """The right of an instance to read and commit a partition."""

    partition: int
    topic: str
    number: int
    epoch: int
    committed: int
    leaving: bool
    """Another member shall have it: finish what is in hand, then release."""


def join(connection: sqlite3.Connection, seat: Seat, lease_until: int) -> None:
    """Enter a group. Whoever sat under the same name before is out at once: it is this member's former life."""
    with transaction(connection, durable=False):
        former = connection.execute(
            "DELETE FROM members WHERE group_name = ? AND name = ? RETURNING instance", (seat.group, seat.name)
        ).fetchall()
        for (instance,) in former:
            _free(connection, seat.group, instance)
        _sit(connection, seat, lease_until)


def leave(connection: sqlite3.Connection, seat: Seat) -> None:
    """Leave a group and free all that was claimed."""
    with transaction(connection, durable=False):
        connection.execute("DELETE FROM members WHERE instance = ?", (seat.instance,))
        _free(connection, seat.group, seat.instance)


def release(connection: sqlite3.Connection, seat: Seat, partitions: Iterable[int]) -> None:
    """Give claims back to the group."""
    rows = [(seat.group, partition, seat.instance) for partition in partitions]
    with transaction(connection, durable=False):
        connection.executemany(
            "UPDATE claims SET owner = NULL WHERE group_name = ? AND partition_id = ? AND owner = ?", rows
        )


def beat(connection: sqlite3.Connection, seats: Sequence[Seat], now: int, lease: int) -> dict[str, list[Claim]]:
    """Prolong the leases of these seats, take what is theirs, and tell each instance what it holds now."""
    with transaction(connection, durable=False):
        for seat in seats:
            _sit(connection, seat, now + lease)
        held: dict[str, list[Claim]] = {seat.instance: [] for seat in seats}
        for group in sorted({seat.group for seat in seats}):
            for instance, claim in _balance(connection, group, held.keys(), now):
                held[instance].append(claim)
        return held


def commit(
    connection: sqlite3.Connection, seat: Seat, offsets: Mapping[int, int], epochs: Mapping[int, int]
) -> set[int]:
    """Move committed offsets on; partitions that this instance no longer holds are returned, not moved."""
    refused = set()
    with transaction(connection, durable=False):
        for partition, offset in offsets.items():
            done = connection.execute(
                "UPDATE claims SET committed = MAX(committed, ?)"
                " WHERE group_name = ? AND partition_id = ? AND owner = ? AND epoch = ?",
                (offset, seat.group, partition, seat.instance, epochs.get(partition, -1)),
            )
            if done.rowcount == 0:
                refused.add(partition)
    return refused


def lag(connection: sqlite3.Connection, group: str) -> dict[tuple[str, int], int]:
    """Records behind by topic and partition, over every topic that the group has ever read."""
    query = (
        "SELECT p.topic, p.number, p.next - MAX(c.committed, p.start) FROM claims c"
        " JOIN partitions p ON p.id = c.partition_id WHERE c.group_name = ?"
    )
    return {(topic, number): behind for topic, number, behind in connection.execute(query, (group,))}


def forget(connection: sqlite3.Connection, group: str) -> None:
    """Drop a group with its offsets, so that retention waits for it no longer."""
    with transaction(connection):
        connection.execute("DELETE FROM claims WHERE group_name = ?", (group,))
        connection.execute("DELETE FROM members WHERE group_name = ?", (group,))


def _sit(connection: sqlite3.Connection, seat: Seat, lease_until: int) -> None:
    topics = msgspec.json.encode(sorted(seat.topics)).decode()
    connection.execute(
        "INSERT INTO members VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (instance) DO UPDATE SET lease_until = excluded.lease_until",
        (seat.instance, seat.group, seat.name, topics, lease_until),
    )


def _free(connection: sqlite3.Connection, group: str, instance: str) -> None:
    connection.execute("UPDATE claims SET owner = NULL WHERE group_name = ? AND owner = ?", (group, instance))


def _live(connection: sqlite3.Connection, group: str, now: int) -> dict[str, frozenset[str]]:
    """Instances whose lease runs, with their topics; the others are struck off."""
    connection.execute("DELETE FROM members WHERE group_name = ? AND lease_until < ?", (group, now))
    rows = connection.execute("SELECT instance, topics FROM members WHERE group_name = ?", (group,))
    return {instance: frozenset(msgspec.json.decode(topics, type=list[str])) for instance, topics in rows}


def _balance(connection: sqlite3.Connection, group: str, mine: Iterable[str], now: int) -> Iterable[tuple[str, Claim]]:
    """Claim the group's free partitions that fall to `mine`; all claims of `mine`."""
    members = _live(connection, group, now)
    for topic in sorted(set().union(*members.values())):
        connection.execute(
            "INSERT OR IGNORE INTO claims (group_name, partition_id, committed)"
            " SELECT ?, id, start FROM partitions WHERE topic = ?",
            (group, topic),
        )
    rows = connection.execute(
        "SELECT c.partition_id, p.topic, p.number, c.owner, c.epoch, MAX(c.committed, p.start)"
        " FROM claims c JOIN partitions p ON p.id = c.partition_id WHERE c.group_name = ?",
        (group,),
    ).fetchall()
    owners = {row[0]: row[3] for row in rows if row[3] in members}
    wanted = assign(members, {row[0]: row[1] for row in rows}, owners)
    for partition, topic, number, _, epoch, committed in rows:
        owner = owners.get(partition) or wanted.get(partition)
        if owner is None or owner not in mine:
            continue
        if partition not in owners:
            epoch += 1  # noqa: PLW2901 - the row is read no more
            connection.execute(
                "UPDATE claims SET owner = ?, epoch = ? WHERE group_name = ? AND partition_id = ?",
                (owner, epoch, group, partition),
            )
        yield owner, Claim(partition, topic, number, epoch, committed, wanted.get(partition) != owner)
