"""Events that somebody has still to read: published to Kafka in their order, under the keys that they have.

Per partition of the source everything from the lowest offset that one of its groups has committed, and all dead
letters. Readers are idempotent, so those who were ahead lose nothing by reading some again. Each record carries where
it comes from; what a run before has published is found by that, and not published again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from xget_events.kafka import KafkaEventLog
from xget_events.log import DLQ_SUFFIX, TopicSpec
from xget_events.sqlite.schema import SHIFT, VERSION
from xget_kernel.errors import StartupError
from xget_kernel.messages import Message
from xget_kernel.settings import ServiceSettings
from xget_standalone.migration.progress import Progress, Watch
from xget_standalone.migration.report import Line
from xget_standalone.migration.steps import Sum
from xget_standalone.probes.topics import read_topic
from xget_standalone.topics import named_topics

MOVED: Final = "xget-moved"
"""Header: the migration and the record's place in the source."""
_BATCH: Final = 200
_BATCH_BYTES: Final = 8 << 20
_HEADERS: Final = msgspec.json.Decoder(dict[str, str])
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Partition(NamedTuple):
    """A partition of the source, from the first record that moves on."""

    id: int
    topic: str
    first: int
    next: int


def readers(settings: ServiceSettings) -> dict[str, int]:
    """How many consumer groups read each topic."""
    return {
        settings.kafka_topic_tasks: 1,
        settings.kafka_topic_pages: 2,
        settings.kafka_topic_results: 1,
        settings.kafka_topic_stored: 2,
        settings.kafka_topic_forgotten: 1,
    }


def check_log(connection: sqlite3.Connection) -> None:
    """Raise StartupError when another release wrote the log."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        raise StartupError("events.db of the source was written by another release: install that release, then retry.")


def unread(connection: sqlite3.Connection, topic: str, groups: int) -> list[Partition]:
    """What one of the groups has still to read. A group that never began reads all."""
    sql = (
        "SELECT p.id, p.topic, p.start, p.next, count(c.group_name), min(c.committed) FROM partitions p"
        " LEFT JOIN claims c ON c.partition_id = p.id WHERE p.topic = ? GROUP BY p.id ORDER BY p.number"
    )
    return [
        Partition(id_, name, start if known < groups or committed is None else max(start, committed), end)
        for id_, name, start, end, known, committed in connection.execute(sql, (topic,))
    ]


def records(connection: sqlite3.Connection, part: Partition, origin: str) -> Iterator[tuple[int, Message]]:
    """Offset and message of each record that moves."""
    base = part.id << SHIFT
    sql = "SELECT id, key, headers, value FROM records WHERE id >= ? AND id < ? ORDER BY id"
    for row, key, headers, value in connection.execute(sql, (base | part.first, base | part.next)):
        offset = row - base
        moved = {MOVED: f"{origin}/{part.id}/{offset}"}
        yield offset, Message(topic=part.topic, key=key, value=value, headers=_HEADERS.decode(headers) | moved)


class EventStep:
    """Moves a topic."""

    def __init__(
        self, topic: str, groups: int, source: sqlite3.Connection, log: KafkaEventLog, settings: ServiceSettings
    ) -> None:
        self.line = Line(concern="events", name=topic)
        self._source = source
        self._log = log
        self._settings = settings
        self._partitions = unread(source, topic, groups)
        self._origin = ""

    async def measure(self) -> None:
        self.line.source = await asyncio.to_thread(self._count)

    def _count(self) -> int:
        sql = "SELECT count(*) FROM records WHERE id >= ? AND id < ?"
        spans = [(part.id << SHIFT | part.first, part.id << SHIFT | part.next) for part in self._partitions]
        return sum(int(self._source.execute(sql, span).fetchone()[0]) for span in spans)

    async def move(self, progress: Progress, watch: Watch) -> None:
        self._origin = progress.id
        mark = progress.mark(self.line.name)
        if not mark.done:
            again = bool(mark.after)
            mark.after = "publishing"
            progress.save()
            there, _ = await self._there() if again and self.line.source else (_Places(()), Sum())
            mark.moved = 0
            for batch in self._batches(there):
                await self._log.publish(batch)
                mark.moved += len(batch)
                watch(self.line.name, mark.moved, self.line.source)
            mark.present = self.line.source - mark.moved
            mark.done = True
            progress.save()
        self.line.moved, self.line.present = mark.moved, mark.present

    def _batches(self, there: _Places) -> Iterator[list[Message]]:
        batch: list[Message] = []
        size = 0
        for part in self._partitions:
            for offset, message in records(self._source, part, self._origin):
                if not there.has(part.id, offset):
                    batch.append(message)
                    size += len(message.value)
                if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch

    async def verify(self, watch: Watch) -> None:
        there, theirs = await self._there() if self.line.source else (_Places(()), Sum())
        ours = Sum()
        for part in self._partitions:
            for offset, message in records(self._source, part, self._origin):
                place = f"{part.id}/{offset}"
                ours.add(place, _text(message.key, message.value, message.headers))
                if not there.has(part.id, offset):
                    self.line.differs(place)
        watch(f"verify {self.line.name}", self.line.source, self.line.source)
        self.line.source_hash, self.line.target_hash = ours.hex(), theirs.hex()
        self.line.verified = not self.line.problems and ours.hex() == theirs.hex()

    async def _there(self) -> tuple[_Places, Sum]:
        """Which records of this migration the target has, and the hash over them."""
        places, found = _Places(self._partitions), Sum()
        async for key, value, headers in read_topic(self._settings, self.line.name):
            origin, _, place = headers.get(MOVED, "").partition("/")
            if origin == self._origin and places.add(place):
                found.add(place, _text(key, value, headers))
        return places, found


class _Places:
    """A set of places, a bit for each."""

    def __init__(self, partitions: list[Partition] | tuple[()]) -> None:
        self._first = {part.id: part.first for part in partitions}
        self._bits = {part.id: bytearray((part.next - part.first) // 8 + 1) for part in partitions}

    def add(self, place: str) -> bool:
        """Remember it; False when it was known."""
        part, _, offset = place.partition("/")
        id_, number = int(part), int(offset)
        if id_ not in self._bits or self.has(id_, number):
            return False
        byte, bit = divmod(number - self._first[id_], 8)
        self._bits[id_][byte] |= 1 << bit
        return True

    def has(self, part: int, offset: int) -> bool:
        """Whether it was added."""
        if part not in self._bits:
            return False
        byte, bit = divmod(offset - self._first[part], 8)
        return bool(self._bits[part][byte] >> bit & 1)


def _text(key: str, value: bytes, headers: Mapping[str, str]) -> bytes:
    return _ENCODER.encode([key, value, {name: text for name, text in headers.items() if name != MOVED}])


def topics_of(connection: sqlite3.Connection, settings: ServiceSettings) -> dict[str, int]:
    """Topics of the source that hold something, with the number of groups that should read each."""
    known = readers(settings)
    found = connection.execute("SELECT topic FROM partitions GROUP BY topic HAVING sum(next - start) > 0")
    return {topic: 0 if topic.endswith(DLQ_SUFFIX) else known.get(topic, 0) for (topic,) in found.fetchall()}


def specs(connection: sqlite3.Connection, settings: ServiceSettings) -> list[TopicSpec]:
    """Topics to make: those of the release, and others that the source has."""
    declared = named_topics(settings)
    names = {spec.name for spec in declared} | {spec.name + DLQ_SUFFIX for spec in declared}
    sql = (
        "SELECT t.name, count(*), t.retention_hours, t.max_bytes FROM topics t JOIN partitions p ON p.topic = t.name"
        " GROUP BY t.name"
    )
    others = [
        TopicSpec(name, partitions, hours, size >> 20)
        for name, partitions, hours, size in connection.execute(sql)
        if name not in names
    ]
    return declared + others
