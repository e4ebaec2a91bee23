"""This process's members of consumer groups: one heartbeat for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from xget_events.sqlite import groups
from xget_events.sqlite.groups import Claim, Seat
from xget_events.sqlite.threads import Threaded
from xget_kernel.clock import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970, exact."""
    return (at - EPOCH) // timedelta(microseconds=1)


class Member(Protocol):
    """What sits on a seat."""

    seat: Seat

    def take(self, claims: list[Claim]) -> None:
        """Hold exactly these claims from now on."""

    def drop(self, partitions: Iterable[int]) -> None:
        """These claims are given back."""

    def wake(self, partitions: set[int] | None) -> None:
        """There may be something new in these partitions; None means in any."""


class Membership:
    """Joins, renews and leaves for the members of one process; `lease` is in seconds."""

    def __init__(self, writer: Threaded, clock: Clock, lease: float) -> None:
        self.lease = lease
        self._writer = writer
        self._clock = clock
        self._members: dict[str, Member] = {}
        # What the thread did to claims must be told to the members in the same order.
        self._order = asyncio.Lock()
        self._next_beat = 0.0

    @property
    def members(self) -> list[Member]:
        """Everyone who has joined and not left."""
        return list(self._members.values())

    def wake(self, partitions: set[int] | None = None) -> None:
        """Tell those who wait that something was published."""
        for member in self.members:
            member.wake(partitions)

    async def join(self, member: Member) -> None:
        """Enter the group and take what falls to the newcomer; its neighbours learn what to give."""
        async with self._order:
            # Known before it sits, so that a join that is cancelled half-way can still be left.
            self._members[member.seat.instance] = member
            await self._writer.run(groups.join, member.seat, self._now() + self._lease_micros())
            await self._beat()

    async def leave(self, member: Member) -> None:
        """Leave the group; neighbours in this process take over at once, others at their next heartbeat."""
        async with self._order:
            if self._members.pop(member.seat.instance, None) is not None:
                member.take([])
                await self._writer.run(groups.leave, member.seat)
                await self._beat()

    async def release(self, member: Member, partitions: list[int]) -> None:
        """Give claims back, for those whom they fall to."""
        async with self._order:
            await self._writer.run(groups.release, member.seat, partitions)
            member.drop(partitions)
            await self._beat()

    async def commit(self, seat: Seat, offsets: Mapping[int, int], epochs: Mapping[int, int]) -> set[int]:
        """Move the group's offsets on; the partitions that were refused."""
        return await self._writer.run(groups.commit, seat, offsets, epochs)

    async def beat(self) -> None:
        """Renew all leases now."""
        async with self._order:
            await self._beat()

    async def beat_if_due(self) -> None:
        """Renew when a third of the lease has passed by the log's clock."""
        if self._clock.monotonic() >= self._next_beat:
            await self.beat()

    async def _beat(self) -> None:
        self._next_beat = self._clock.monotonic() + self.lease / 3
        if not self._members:
            return
        members = dict(self._members)
        seats = [member.seat for member in members.values()]
        held = await self._writer.run(groups.beat, seats, self._now(), self._lease_micros())
        for instance, member in members.items():
            member.take(held[instance])

    def _now(self) -> int:
        return micros(self._clock.now())

    def _lease_micros(self) -> int:
        return int(self.lease * 1_000_000)
