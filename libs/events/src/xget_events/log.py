"""The event log port: topics with partitions by key, consumer groups, at-least-once delivery."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

import msgspec

from xget_kernel.messages import Message

DLQ_SUFFIX = ".dlq"
DLQ_HOURS = 720.0
"""Dead letters wait at least 30 days for somebody to look at them."""


class TopicSpec(msgspec.Struct, frozen=True):
    """A topic to create. `retention_hours` 0 keeps records for ever."""

    name: str
    partitions: int = 1
    retention_hours: float = 168.0
    max_message_mb: int = 16

    @property
    def dlq(self) -> TopicSpec | None:
        """The dead-letter topic that comes with this one; None for a dead-letter topic itself."""
        if self.name.endswith(DLQ_SUFFIX):
            return None
        hours = max(self.retention_hours, DLQ_HOURS) if self.retention_hours else 0.0
        # A dead letter is the record with more headers: its body fits as the first one did.
        return TopicSpec(self.name + DLQ_SUFFIX, 1, hours, self.max_message_mb)


class Record(msgspec.Struct, frozen=True, gc=False):
    """A message as read: `offset` counts 0, 1, 2… within the partition, `timestamp` is when it was published (UTC)."""

    topic: str
    key: str
    value: bytes
    headers: dict[str, str]
    partition: int
    offset: int
    timestamp: datetime


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: CRC-32 of its UTF-8, the same on every machine and in every release."""
    return zlib.crc32(key.encode()) % partitions


def by_topic(lag: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """The sum over the partitions of each topic."""
    found: dict[str, int] = {}
    for (topic, _), count in lag.items():
        found[topic] = found.get(topic, 0) + count
    return found


class Consumer(Protocol):
    """One member of a consumer group. One task at a time uses it."""

    async def __aenter__(self) -> Self:
        """Join the group."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""

    async def poll(self, max_records: int = 500, timeout: float = 1.0) -> list[Record]:
        """The next records of the partitions held, in order within each; empty after `timeout` seconds without any.

        Waits for no full batch. May return fewer records than there are when bodies are large.
        """

    async def commit(self, records: Sequence[Record]) -> None:
        """Mark these records and all before them in their partitions as done for the group.

        Raises Fenced when a partition has gone to another member; the other partitions are committed.
        """

    async def close(self) -> None:
        """Leave the group; its partitions pass on at once and what was not committed is read again."""


class EventLog(Protocol):
    """Topics on a durable log. Order holds per key; every record reaches every group at least once."""

    @property
    def trouble(self) -> str | None:
        """Why the log cannot do its work although its engine answers, as a sentence with the fix."""

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Make the topics that are missing, each with its `.dlq`; a topic keeps the partitions it was made with."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append messages, all or none; they are on the disk at return.

        Raises UnknownTopic, MessageTooLarge, errors.Full (no room), errors.Unavailable.
        """

    def consumer(self, group: str, topics: Sequence[str], *, member: str | None = None) -> Consumer:
        """A new member of a group, which starts at the oldest record when the group is new.

        It joins when it is entered or first polled, and may wait for topics that are made later. A `member` name
        that a former process used takes over from it at once; names are unique within a group.
        """

    async def lag(self, group: str) -> dict[str, int]:
        """Records that the group has not committed, by topic; empty for a group that never read."""

    async def lag_by_partition(self, group: str) -> dict[tuple[str, int], int]:
        """The same by topic and partition."""

    async def close(self) -> None:
        """Close all consumers and the log."""
