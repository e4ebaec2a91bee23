"""What a member holds between two rebalances, and how it hands partitions over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from xget_events.kafka.insides import Seat

DRAIN_SECONDS = 2.5
"""How long a rebalance waits for the batch in hand."""
MARK_SECONDS = 3.0


class Held:
    """A partition and how far this member has read and committed in it; None: nothing yet since it holds it."""

    __slots__ = ("committed", "position")

    def __init__(self) -> None:
        self.position: int | None = None
        self.committed: int | None = None

    @property
    def in_hand(self) -> bool:
        """Whether records were given out that are not committed."""
        return self.position is not None and (self.committed is None or self.committed < self.position)

    def begin_anew(self) -> None:
        """The topic is another one by now: offsets of the old one say nothing about it."""
        self.position = self.committed = None


class Holding(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The partitions of one member. aiokafka takes all of them away at each rebalance and gives the new ones.

    What is in hand then may be finished and committed for `DRAIN_SECONDS`. A partition that comes back with the next
    generation was nobody else's meanwhile and is read on; any other is read from its committed offset.
    """

    def __init__(self, client: AIOKafkaConsumer, seat: Seat) -> None:
        self._client = client
        self._seat = seat
        self._generation = -1
        self._held: dict[TopicPartition, Held] = {}
        self._done = asyncio.Event()
        self.reading = asyncio.Event()
        """Records may be given out."""
        self.committing = asyncio.Event()
        """Offsets may be committed: it is known what is held."""

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish what is in hand, then hold nothing for certain."""
        self.reading.clear()
        if self._seat.generation < 0:
            if self._generation >= 0:
                # The session ran out, or another process has this member's name by now: not to fight for it.
                self._seat.forget_name()
            self._held.clear()
        elif self._in_hand():
            self._done.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._done.wait()
        self.committing.clear()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Hold these, going on where this member was if nobody can have been in between."""
        generation = self._seat.generation
        before, self._held = self._held, {}
        kept = before if generation == self._generation + 1 else {}
        for place in assigned:
            held = self._held[place] = kept.get(place) or Held()
            if held.position is not None:
                self._client.seek(place, held.position)
        self._generation = generation
        with suppress(KafkaError, IllegalStateError, TimeoutError):
            async with asyncio.timeout(MARK_SECONDS):
                await self._mark([place for place, held in self._held.items() if held.committed is None])
        self.reading.set()
        self.committing.set()

    async def _mark(self, places: list[TopicPartition]) -> None:
        """Give a new group its first offsets, so that its lag can be told before it commits."""
        begin: dict[TopicPartition, int] = {}
        for place in places:
            offset = await self._client.committed(place)
            if offset is None:
                begin |= await self._client.beginning_offsets([place])
            else:
                self._held[place].committed = offset
        if begin:
            await self._client.commit(begin)
            self.committed(begin)

    def give(self, place: TopicPartition, records: list[ConsumerRecord]) -> list[ConsumerRecord]:
        """Those of these records of a partition that are held and were not given yet; they are in hand from now on."""
        held = self._held.get(place)
        if held is None or not records:
            return []
        if held.position is not None and records[0].offset < held.position and self._is_another(place, held.position):
            held.begin_anew()
        if held.position is not None and records[0].offset < held.position:
            records = [record for record in records if record.offset >= held.position]
        if records:
            held.position = records[-1].offset + 1
        return records

    def sort(self, offsets: dict[TopicPartition, int]) -> tuple[dict[TopicPartition, int], set[TopicPartition]]:
        """Which of these offsets (the next to be read) are to be committed, and which partitions are held no more."""
        wanted: dict[TopicPartition, int] = {}
        lost: set[TopicPartition] = set()
        for place, offset in offsets.items():
            held = self._held.get(place)
            if held is None or held.position is None or offset > held.position:
                lost.add(place)
            elif held.committed is None or offset > held.committed:
                wanted[place] = offset
        return wanted, lost

    def committed(self, offsets: dict[TopicPartition, int]) -> None:
        """These offsets are the group's now."""
        for place, offset in offsets.items():
            held = self._held.get(place)
            if held is not None:
                held.committed = max(held.committed or 0, offset)
        if not self._in_hand():
            self._done.set()

    def begin_anew(self, topics: Iterable[str]) -> None:
        """These topics are gone: what comes under their names later is read from its first record."""
        gone = set(topics)
        for place, held in self._held.items():
            if place.topic in gone:
                held.begin_anew()

    def lose(self, places: Iterable[TopicPartition]) -> None:
        """These are held no more."""
        for place in places:
            self._held.pop(place, None)

    def release(self) -> None:
        """The member goes: wait for nothing."""
        self._done.set()
        self.reading.set()
        self.committing.set()

    def _is_another(self, place: TopicPartition, position: int) -> bool:
        """Whether the topic was deleted and made again: the one that was read to `position` cannot end before it."""
        with suppress(IllegalStateError):
            end = self._client.highwater(place)
            return end is not None and end < position
        return False

    def _in_hand(self) -> bool:
        return any(held.in_hand for held in self._held.values())
