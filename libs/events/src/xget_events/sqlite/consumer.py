"""A member of a consumer group on the SQLite log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

import msgspec

from xget_events.errors import Fenced, LogClosed
from xget_events.log import Record
from xget_events.sqlite import records
from xget_events.sqlite.groups import Claim, Seat
from xget_events.sqlite.membership import EPOCH, Membership
from xget_events.sqlite.records import Span, Stored
from xget_events.sqlite.threads import Threaded
from xget_kernel.clock import Clock

POLL_BYTES = 32 << 20
"""Bodies that one poll returns, so that a batch of pages fits the memory; one larger body comes alone."""

HEADERS = msgspec.json.Decoder(dict[str, str])


class Held:
    """A claim and how far this member has read in it."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.position = claim.committed
        self.committed = claim.committed
        self.leaving_since: float | None = None


class SqliteConsumer:
    """Reads the partitions that its seat holds. Made by `SqliteEventLog.consumer`."""

    def __init__(self, seat: Seat, membership: Membership, reader: Threaded, clock: Clock) -> None:
        self.seat = seat
        self.waiting = False
        self._membership = membership
        self._reader = reader
        self._clock = clock
        self._held: dict[int, Held] = {}
        self._wake = asyncio.Event()
        self._joined = False
        self._closed = False
        self._turn = 0

    async def __aenter__(self) -> Self:
        await self._join()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def poll(self, max_records: int = 500, timeout: float = 1.0) -> list[Record]:
        """The next records, at most `POLL_BYTES` of bodies; empty after `timeout` seconds without any."""
        if not self._joined:
            await self._join()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            if self._closed:
                raise LogClosed("The consumer is closed.")
            self._wake.clear()
            await self._membership.beat_if_due()
            await self._settle()
            found = await self._read(max_records)
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            await self._wait(left)

    async def commit(self, records: Sequence[Record]) -> None:
        """Mark these records and all before them in their partitions as done. Raises Fenced."""
        numbers = {(held.claim.topic, held.claim.number): partition for partition, held in self._held.items()}
        offsets: dict[int, int] = {}
        lost: set[str] = set()
        for record in records:
            partition = numbers.get((record.topic, record.partition))
            if partition is None:
                lost.add(f"{record.topic}/{record.partition}")
            else:
                offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        if offsets:
            lost |= await self._commit(offsets)
        if lost:
            held_by = "another member of the group holds it by now and reads on from the last commit"
            raise Fenced(f"Nothing was committed for {', '.join(sorted(lost))}: {held_by}.")

    async def close(self) -> None:
        """Leave the group; twice is fine."""
        if not self._closed:
            self._closed = True
            self._wake.set()
            await self._membership.leave(self)

    def take(self, claims: list[Claim]) -> None:
        """Hold exactly these claims; one that changed hands meanwhile is read from its committed offset."""
        before, self._held = self._held, {}
        for claim in claims:
            held = before.get(claim.partition)
            if held is None or held.claim.epoch != claim.epoch:
                held = Held(claim)
            if claim.leaving and held.leaving_since is None:
                held.leaving_since = self._clock.monotonic()
            elif not claim.leaving:
                held.leaving_since = None
            held.claim = claim
            self._held[claim.partition] = held
            if before.get(claim.partition) is not held or claim.leaving:
                self._wake.set()

    def drop(self, partitions: Iterable[int]) -> None:
        """These claims are given back."""
        for partition in partitions:
            self._held.pop(partition, None)

    def wake(self, partitions: set[int] | None) -> None:
        """Look again, if it concerns a partition held here."""
        if partitions is None or not partitions.isdisjoint(self._held):
            self._wake.set()

    async def _join(self) -> None:
        await self._membership.join(self)
        self._joined = True

    async def _commit(self, offsets: dict[int, int]) -> set[str]:
        epochs = {partition: self._held[partition].claim.epoch for partition in offsets}
        refused = await self._membership.commit(self.seat, offsets, epochs)
        lost = set()
        for partition, offset in offsets.items():
            held = self._held.get(partition)
            if partition in refused:
                lost.add(f"{held.claim.topic}/{held.claim.number}" if held else f"#{partition}")
            elif held is not None:
                held.committed = max(held.committed, offset)
                held.position = max(held.position, offset)
        if any(held.leaving_since is not None for held in self._held.values()):
            await self._settle()
        return lost

    async def _settle(self) -> None:
        """Give back what another member shall have, once nothing of it is in hand or a lease's length has passed."""
        patience = self._clock.monotonic() - self._membership.lease
        done = [
            partition
            for partition, held in self._held.items()
            if held.leaving_since is not None and (held.position == held.committed or held.leaving_since <= patience)
        ]
        if done:
            await self._membership.release(self, done)

    async def _read(self, max_records: int) -> list[Record]:
        """Read on in what is held, beginning with another partition each time so that none starves."""
        mine = {partition: held for partition, held in self._held.items() if held.leaving_since is None}
        if not mine:
            return []
        self._turn += 1
        order = sorted(mine)
        first = self._turn % len(order)
        spans = [Span(partition, mine[partition].position) for partition in order[first:] + order[:first]]
        rows = await self._reader.run(records.read, spans, max_records, POLL_BYTES)
        found = []
        for row in rows:
            held = mine[row.partition]
            # A heartbeat may have taken the partition away while the thread was reading.
            if self._held.get(row.partition) is held:
                held.position = row.offset + 1
                found.append(_record(row, held.claim))
        return found

    async def _wait(self, seconds: float) -> None:
        self.waiting = True
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self.waiting = False


def _record(row: Stored, claim: Claim) -> Record:
    return Record(
        topic=claim.topic,
        key=row.key,
        value=row.value,
        headers=HEADERS.decode(row.headers),
        partition=claim.number,
        offset=row.offset,
        timestamp=EPOCH + timedelta(microseconds=row.at),
    )
