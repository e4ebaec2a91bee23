"""Any order of joins, deaths, reads and commits: one owner a partition, offsets that never skip or go back."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from xget_events.log import TopicSpec
from xget_events.sqlite import groups, records
from xget_events.sqlite.groups import Claim, Seat
from xget_events.sqlite.records import Span
from xget_events.sqlite.schema import connect

LEASE = 10
NAMES = st.sampled_from("abcd")


class GroupMachine(RuleBasedStateMachine):
    """The SQL of groups against a model: what was handled, what was committed."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.connection: sqlite3.Connection = connect(self.folder / "events.db")
        self.now = 0
        self.made = 0
        self.seats: dict[str, Seat] = {}
        self.claims: dict[str, dict[int, Claim]] = {}
        self.positions: dict[str, dict[int, int]] = {}
        self.handled: dict[int, set[int]] = {}
        self.committed: dict[int, int] = {}
        self.next: dict[int, int] = {}

    @initialize(partitions=st.integers(1, 4))
    def create(self, partitions: int) -> None:
        records.create_topics(self.connection, [TopicSpec("pages", partitions)])
        self.ids = records.topics(self.connection)["pages"].partitions
        self.next = dict.fromkeys(self.ids, 0)
        self.committed = dict.fromkeys(self.ids, 0)
        self.handled = {partition: set() for partition in self.ids}

    @rule(index=st.integers(0, 3), count=st.integers(1, 3))
    def publish(self, index: int, count: int) -> None:
        partition = self.ids[index % len(self.ids)]
        records.publish(self.connection, [(partition, self.now, "k", "{}", b"") for _ in range(count)])
        self.next[partition] += count

    @rule(name=NAMES)
    def join(self, name: str) -> None:
        """A new life under the name; a former one goes on as a zombie that the machine forgets."""
        self.made += 1
        seat = Seat(f"{name}-{self.made}", "g", name, frozenset(["pages"]))
        groups.join(self.connection, seat, self.now + LEASE)
        self.seats[name], self.claims[name], self.positions[name] = seat, {}, {}
        self.beat(name)

    @rule(name=NAMES)
    def beat(self, name: str) -> None:
        if name not in self.seats:
            return
        seat = self.seats[name]
        held = {c.partition: c for c in groups.beat(self.connection, [seat], self.now, LEASE)[seat.instance]}
        for partition, claim in held.items():
            known = self.claims[name].get(partition)
            if known is None or known.epoch != claim.epoch:
                assert claim.committed == self.committed[partition]
                self.positions[name][partition] = claim.committed
        self.claims[name] = held

    @rule(name=NAMES, most=st.integers(1, 4))
    def read(self, name: str, most: int) -> None:
        """Read on and handle: a zombie may, its commit will tell."""
        spans = [Span(partition, self.positions[name][partition]) for partition in self.claims.get(name, {})]
        for record in records.read(self.connection, spans, most, 1 << 20):
            assert record.offset == self.positions[name][record.partition]
            self.positions[name][record.partition] += 1
            self.handled[record.partition].add(record.offset)

    @rule(name=NAMES)
    def commit(self, name: str) -> None:
        if name not in self.seats:
            return
        offsets = {partition: self.positions[name][partition] for partition in self.claims[name]}
        epochs = {partition: claim.epoch for partition, claim in self.claims[name].items()}
        refused = groups.commit(self.connection, self.seats[name], offsets, epochs)
        for partition, offset in offsets.items():
            owner, epoch = self.row(partition)[:2]
            mine = owner == self.seats[name].instance and epoch == epochs[partition]
            assert (partition in refused) == (not mine)
            if mine:
                self.committed[partition] = max(self.committed[partition], offset)

    @rule(name=NAMES)
    def give_back(self, name: str) -> None:
        """What is asked for is released, in hand or not."""
        leaving = [partition for partition, claim in self.claims.get(name, {}).items() if claim.leaving]
        if leaving:
            groups.release(self.connection, self.seats[name], leaving)
            for partition in leaving:
                del self.claims[name][partition]

    @rule(name=NAMES)
    def leave(self, name: str) -> None:
        if name in self.seats:
            groups.leave(self.connection, self.seats.pop(name))
            self.claims.pop(name)
            self.positions.pop(name)

    @rule(seconds=st.integers(1, LEASE * 2))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.seats)
    @rule()
    def everyone_alive_ends_balanced(self) -> None:
        for _ in range(3):
            for name in list(self.seats):
                self.beat(name)
                self.give_back(name)
        counts = [len(claims) for claims in self.claims.values()]
        assert sum(counts) == len(self.ids)
        assert max(counts) - min(counts) <= 1

    @invariant()
    def offsets_neither_skip_nor_go_back(self) -> None:
        for partition in self.next:
            row = self.row(partition)
            if row is not None:
                assert row[2] == self.committed[partition] <= self.next[partition]
                assert self.handled[partition] >= set(range(row[2]))

    def row(self, partition: int) -> tuple[str | None, int, int]:
        query = "SELECT owner, epoch, committed FROM claims WHERE partition_id = ?"
        found: tuple[str | None, int, int] = self.connection.execute(query, (partition,)).fetchone()
        return found

    def teardown(self) -> None:
        self.connection.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()


TestGroupMachine = GroupMachine.TestCase
TestGroupMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
