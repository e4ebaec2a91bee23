"""A member of a consumer group on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, RebalanceInProgressError
from aiokafka.structs import ConsumerRecord

from xget_events.errors import Fenced, LogClosed
from xget_events.kafka.access import REQUEST_SECONDS
from xget_events.kafka.insides import refresh
from xget_events.kafka.membership import Joined, Membership
from xget_events.kafka.records import records_of
from xget_events.log import Record

POLL_BYTES = 32 << 20
"""Bodies that one poll returns; one larger body comes alone."""
LOOK_SECONDS = 0.5
"""How often a consumer looks for a topic that does not exist yet."""


class KafkaConsumer:
    """Reads the partitions that the group gives it. Made by `KafkaEventLog.consumer`.

    It stays a member however long a handler works: heartbeats go on in the background. What is fetched ahead is one
    fetch for each partition (2 MB, or one larger batch), and nothing while a poll left records over.
    """

    def __init__(
        self,
        membership: Membership,
        topics: Sequence[str],
        closed: Callable[[KafkaConsumer], None],
        missed: Callable[[Sequence[str]], None],
    ) -> None:
        self._membership = membership
        self._on_missed = missed
        self._access = membership.access
        self._topics = tuple(topics)
        self._on_closed = closed
        self._over: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._look_at = 0.0
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._membership.join(self._topics)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def poll(self, max_records: int = 500, timeout: float = 1.0) -> list[Record]:
        """The next records, at most `POLL_BYTES` of bodies; empty after `timeout` seconds without any.

        Raises errors.Unavailable when Kafka does not answer, LogClosed.
        """
        self._check_open()
        deadline = asyncio.get_running_loop().time() + timeout
        joined = await self._membership.join(self._topics)
        try:
            async with asyncio.timeout(max(timeout, 0.005)):
                while True:
                    await self._look(joined)
                    await joined.holding.reading.wait()
                    self._check_open()
                    left = deadline - asyncio.get_running_loop().time()
                    found = await self._read(joined, max_records, left)
                    if found or left <= 0:
                        return found
        except TimeoutError:
            return []
        except KafkaError as error:
            self._over = {}
            await self._membership.leave()
            raise self._access.explained(error, f"read for {self._membership.group}") from error

    async def commit(self, records: Sequence[Record]) -> None:
        """Mark these records and all before them in their partitions as done. Raises Fenced, errors.Unavailable."""
        offsets = self._offsets(records)
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                lost = await self._commit(offsets)
        except (KafkaError, TimeoutError) as error:
            raise self._access.explained(error, f"commit for {self._membership.group}") from error
        if lost:
            names = ", ".join(sorted(f"{place.topic}/{place.partition}" for place in lost))
            held_by = "another member of the group holds it by now and reads on from the last commit"
            raise Fenced(f"Nothing was committed for {names}: {held_by}.")

    async def close(self, *, leave: bool = True) -> None:
        """Leave the group; twice is fine. Without `leave` the group finds out when the lease ends."""
        if not self._closed:
            self._closed = True
            self._on_closed(self)
            await self._membership.leave(tell=leave)

    async def stall(self) -> None:
        """Send no heartbeats from now on, as a process that hangs; for trials."""
        await self._membership.stall()

    async def _read(self, joined: Joined, max_records: int, seconds: float) -> list[Record]:
        if not self._over:
            wait = min(max(seconds, 0.0), LOOK_SECONDS)
            # Nothing is awaited from here on: no rebalance comes in between.
            self._over = await joined.client.getmany(timeout_ms=int(wait * 1000), max_records=max_records)
        found: list[Record] = []
        left: dict[TopicPartition, list[ConsumerRecord]] = {}
        count = size = 0
        for place, raws in self._over.items():
            end, count, size = _fitting(raws, count, size, max_records)
            found += records_of(joined.holding.give(place, raws[:end]), place.topic.removeprefix(self._access.prefix))
            if end < len(raws):
                left[place] = raws[end:]
        self._over = left
        self._hold_back(joined.client)
        return found

    def _hold_back(self, client: AIOKafkaConsumer) -> None:
        """Fetch nothing more while records are left over."""
        paused = client.paused()
        if self._over:
            client.pause(*(client.assignment() - paused))
        elif paused:
            client.resume(*paused)

    async def _commit(self, offsets: dict[TopicPartition, int]) -> set[TopicPartition]:
        """Commit what is held; the partitions that are not."""
        while True:
            joined = self._membership.current
            if joined is None:
                return set(offsets)
            client, holding = joined
            await holding.committing.wait()
            wanted, lost = holding.sort(offsets)
            if not wanted:
                return lost
            try:
                await client.commit(wanted)
            except CommitFailedError as error:
                if not isinstance(error.__cause__, RebalanceInProgressError):
                    holding.lose(wanted)
                    return lost | wanted.keys()
                await asyncio.sleep(0.05)
            except IllegalStateError:
                await asyncio.sleep(0.05)
            else:
                holding.committed(wanted)
                return lost

    def _offsets(self, records: Sequence[Record]) -> dict[TopicPartition, int]:
        """The next offset to be read after these records, by partition."""
        last: dict[tuple[str, int], int] = {}
        for partition, run in groupby(records, key=attrgetter("topic", "partition")):
            last[partition] = max(last.get(partition, -1), *map(attrgetter("offset"), run), -1)
        return {TopicPartition(self._access.prefix + topic, part): n + 1 for (topic, part), n in last.items()}

    async def _look(self, joined: Joined) -> None:
        """Ask for topics that are not there, now and then; tell when they are not."""
        now = asyncio.get_running_loop().time()
        if now < self._look_at or not self._absent(joined.client):
            return
        self._look_at = now + LOOK_SECONDS
        await refresh(joined.client)
        if absent := self._absent(joined.client):
            joined.holding.begin_anew(absent)
            self._on_missed(absent)

    def _absent(self, client: AIOKafkaConsumer) -> list[str]:
        return [topic for topic in self._topics if client.partitions_for_topic(topic) is None]

    def _check_open(self) -> None:
        if self._closed:
            raise LogClosed("The consumer is closed.")


def _fitting(raws: list[ConsumerRecord], count: int, size: int, most: int) -> tuple[int, int, int]:
    """How many of these go into a poll that has `count` records of `size` bytes; then its new count and size."""
    whole = sum([len(raw.value or b"") for raw in raws])
    if count + len(raws) <= most and size + whole <= POLL_BYTES:
        return len(raws), count + len(raws), size + whole
    end = 0
    for raw in raws[: most - count]:
        size += len(raw.value or b"")
        if count and size > POLL_BYTES:
            break
        count += 1
        end += 1
    return end, count, size
