"""What an adapter lends to the suite, and how the suite reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from xget_events.log import Consumer, EventLog, Record
from xget_kernel.messages import Message

PATIENCE = 60.0
"""Seconds until a record that should come is said to be lost."""


class LogHouse(Protocol):
    """One store of events that several processes could open."""

    async def open(self) -> EventLog:
        """A handle as a process of its own would have it; the house closes what is left open."""
        ...

    async def crash(self, log: EventLog) -> None:
        """End that process without a goodbye."""
        ...

    async def stall(self, log: EventLog) -> None:
        """Keep that process from renewing its leases; it lives on and does not know."""
        ...

    async def lapse(self) -> None:
        """Let the leases of crashed and stalled processes run out."""
        ...

    async def breathe(self) -> None:
        """Let so much time pass that living processes renew their leases when they are polled next."""
        ...

    async def age(self, log: EventLog, hours: float) -> None:
        """Let hours pass and retention do its work; an adapter that cannot skips the test."""
        ...


def messages(topic: str, keys: Iterable[str], start: int = 0) -> list[Message]:
    """One message per key, numbered in their bodies."""
    return [Message(topic, key, str(number).encode()) for number, key in enumerate(keys, start)]


async def drain(consumer: Consumer, count: int, *, commit: bool = True) -> list[Record]:
    """Poll until `count` records have come; fails when they do not."""
    found: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            records = await consumer.poll(timeout=0.2)
            if commit and records:
                await consumer.commit(records)
            found += records
    return found


async def nothing(consumer: Consumer) -> bool:
    """Whether a short poll stays empty."""
    return not await consumer.poll(timeout=0.05)


def numbers(records: Iterable[Record]) -> list[int]:
    """The bodies of numbered messages."""
    return [int(record.value) for record in records]
