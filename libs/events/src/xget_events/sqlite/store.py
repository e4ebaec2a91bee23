"""The event log in one SQLite file, for one machine: same semantics as a cluster, less capacity."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from xget_events.errors import MessageTooLarge, UnknownTopic
from xget_events.log import TopicSpec, by_topic, partition_of
from xget_events.sqlite import groups, records
from xget_events.sqlite.consumer import SqliteConsumer
from xget_events.sqlite.groups import Seat
from xget_events.sqlite.membership import Membership, micros
from xget_events.sqlite.publisher import Publisher
from xget_events.sqlite.records import Row, TopicInfo
from xget_events.sqlite.threads import Threaded
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_kernel.messages import Message
from xget_telemetry.logs import get_logger

logger = get_logger(__name__)

EXPIRE_EVERY = 60.0
"""Seconds between two looks for records past their retention."""


class SqliteEventLog:
    """An EventLog in the file `path`, which the first use makes. Several processes may open it at once.

    Publishes of this process wake its consumers at once; those of others are seen within `idle_poll` seconds.
    A member that does not renew for `lease_seconds` of `clock` loses its partitions. Use from one event loop.
    """

    def __init__(
        self, path: Path, *, clock: Clock | None = None, lease_seconds: float = 5.0, idle_poll: float = 0.1
    ) -> None:
        self._clock = clock or SystemClock()
        self._idle_poll = idle_poll
        self._writer = Threaded(path, "xget-events-write")
        self._reader = Threaded(path, "xget-events-read")
        self._membership = Membership(self._writer, self._clock, lease_seconds)
        self._publisher = Publisher(self._writer, self._membership.wake)
        self._topics: dict[str, TopicInfo] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Make the topics that are missing, each with its `.dlq`."""
        both = [spec for given in specs for spec in (given, given.dlq) if spec is not None]
        await self._writer.run(records.create_topics, both)
        self._topics = await self._writer.run(records.topics)
        await self._membership.beat()

    @property
    def trouble(self) -> str | None:
        """Never any: topics are in the file."""
        return None

    async def publish(self, messages: Sequence[Message]) -> None:
        """Append messages in one transaction that is on the disk at return. Raises UnknownTopic, MessageTooLarge."""
        if not messages:
            return
        if not {message.topic for message in messages} <= self._topics.keys():
            self._topics = await self._writer.run(records.topics)
        at = micros(self._clock.now())
        await self._publisher.publish([self._row(message, at) for message in messages])

    def consumer(self, group: str, topics: Sequence[str], *, member: str | None = None) -> SqliteConsumer:
        """A new member of a group; it joins when it is entered or first polled. Topics may be made later."""
        instance = new_id()
        seat = Seat(instance, group, member or instance, frozenset(topics))
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._watch())]
        return SqliteConsumer(seat, self._membership, self._reader, self._clock)

    async def lag(self, group: str) -> dict[str, int]:
        """Records that the group has not committed, by topic."""
        return by_topic(await self.lag_by_partition(group))

    async def lag_by_partition(self, group: str) -> dict[tuple[str, int], int]:
        """The same by topic and partition."""
        return await self._reader.run(groups.lag, group)

    async def forget(self, group: str) -> None:
        """Drop a group that will not come back, so that retention waits for it no longer."""
        await self._writer.run(groups.forget, group)

    async def expire(self) -> int:
        """Delete what retention allows now; runs by itself every minute while there are consumers."""
        total = 0
        while removed := await self._writer.run(records.expire, micros(self._clock.now())):
            total += removed
        return total

    async def close(self, *, release: bool = True) -> None:
        """Finish publishes, close consumers, close the file. `release=False` leaves as a dead process would."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._publisher.close()
        if release:
            await self._leave(self._consumers())
        await self._writer.close()
        await self._reader.close()

    async def _leave(self, consumers: Iterable[SqliteConsumer]) -> None:
        for consumer in consumers:
            try:
                await consumer.close()
            except XGetError as error:
                # Its lease runs out by itself.
                logger.warning("event_consumer_not_released", group=consumer.seat.group, reason=error.detail)

    def _consumers(self) -> list[SqliteConsumer]:
        return [member for member in self._membership.members if isinstance(member, SqliteConsumer)]

    def _row(self, message: Message, at: int) -> Row:
        topic = self._topics.get(message.topic)
        if topic is None:
            raise UnknownTopic(f"There is no topic {message.topic}: create it before publishing to it.")
        if len(message.value) > topic.max_bytes:
            size, most = len(message.value), topic.max_bytes >> 20
            raise MessageTooLarge(f"A message of {size} bytes is too large for {message.topic}: at most {most} MB.")
        number = partition_of(message.key, len(topic.partitions))
        headers = msgspec.json.encode(message.headers).decode()
        return (topic.partitions[number], at, message.key, headers, message.value)

    async def _keep(self) -> None:
        """Renew leases and expire records, as long as the log is open."""
        loop = asyncio.get_running_loop()
        expire_at = loop.time() + EXPIRE_EVERY
        while True:
            await asyncio.sleep(self._membership.lease / 3)
            try:
                await self._membership.beat()
                if loop.time() >= expire_at:
                    expire_at = loop.time() + EXPIRE_EVERY
                    await self.expire()
            except (XGetError, sqlite3.Error) as error:
                logger.warning("event_log_upkeep_failed", reason=str(error))

    async def _watch(self) -> None:
        """While a consumer waits, look whether another process wrote to the file."""
        seen = -1
        while True:
            await asyncio.sleep(self._idle_poll)
            if any(consumer.waiting for consumer in self._consumers()):
                with contextlib.suppress(XGetError):
                    version = await self._writer.run(_data_version)
                    if version != seen:
                        seen = version
                        self._membership.wake()


def _data_version(connection: sqlite3.Connection) -> int:
    """Changes when another connection has committed; our own commits leave it as it is."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)
