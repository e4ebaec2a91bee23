"""Dead letters: what waits in a topic's `.dlq`, and sending it again.

A letter counts as waiting until the group `dlq-replay` has committed it. Replays append first and commit then: a crash
in between sends letters twice, and never loses one. Both sides of a replay are read by one member of that group at a
time; a second one waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import msgspec

from xget_events.log import DLQ_SUFFIX, Consumer, EventLog, Record
from xget_kernel.errors import Unavailable
from xget_kernel.messages import Message

GROUP: Final = "dlq-replay"
REASON: Final = "xget-reason"
FAILED_GROUP: Final = "xget-group"
REPLAYED: Final = "xget-replayed"
OF_LETTERS: Final = frozenset({REASON, FAILED_GROUP, "xget-topic", "xget-partition", "xget-offset"})
"""Headers that a message gets as a dead letter and loses when it is sent again."""
JOIN_SECONDS = 15.0
BATCH = 100


class Letter(msgspec.Struct, frozen=True):
    """A dead letter."""

    offset: int
    at: datetime
    key: str
    group: str
    """The consumer group that gave it up."""
    reason: str
    replayed: int
    """How many times it was sent again before."""
    size: int
    """Bytes of its body."""


class Replay(msgspec.Struct, frozen=True):
    """What a replay did, or would do."""

    sent: int
    kept: int
    """Letters of other groups, which were put back at the end."""


async def waiting(log: EventLog, topic: str, *, limit: int = 100) -> list[Letter]:
    """Letters of a topic that wait, oldest first. Changes nothing."""
    async with _reading(log, topic) as (consumer, count):
        records: list[Record] = []
        while len(records) < min(count, limit):
            records += await _some(consumer, min(count, limit) - len(records))
        return [_letter(record) for record in records]


async def replay(
    log: EventLog, topic: str, *, group: str | None = None, limit: int | None = None, dry_run: bool = False
) -> Replay:
    """Send waiting letters to their topic again, with the headers that they came with and `xget-replayed`.

    `group` takes only those that this consumer group gave up; letters in between are put back at the end. What fails
    once more comes back as a new letter. Raises what `EventLog.publish` raises.
    """
    topic = topic.removesuffix(DLQ_SUFFIX)
    sent = kept = seen = 0
    async with _reading(log, topic) as (consumer, count):
        while seen < count and (limit is None or sent < limit):
            most = min(BATCH, count - seen, BATCH if limit is None else limit - sent)
            records = await _some(consumer, most)
            mine = [record for record in records if group in (None, record.headers.get(FAILED_GROUP))]
            if not dry_run:
                await log.publish([_again(record, topic, mine) for record in records])
                await consumer.commit(records)
            seen, sent, kept = seen + len(records), sent + len(mine), kept + len(records) - len(mine)
    return Replay(sent, kept)


@asynccontextmanager
async def _reading(log: EventLog, topic: str) -> AsyncIterator[tuple[Consumer, int]]:
    """A member of the replay group, and how many letters wait now."""
    name = topic.removesuffix(DLQ_SUFFIX) + DLQ_SUFFIX
    async with log.consumer(GROUP, [name]) as consumer:
        count = (await log.lag(GROUP)).get(name)
        deadline = asyncio.get_running_loop().time() + JOIN_SECONDS
        while count is None:
            if asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(f"The dead letters of {topic} cannot be read now: is somebody else replaying them?")
            await asyncio.sleep(0.1)
            count = (await log.lag(GROUP)).get(name)
        yield consumer, count


async def _some(consumer: Consumer, most: int) -> list[Record]:
    """The next records, of which there are some."""
    deadline = asyncio.get_running_loop().time() + JOIN_SECONDS
    while True:
        records = await consumer.poll(most, timeout=1.0)
        if records:
            return records
        if asyncio.get_running_loop().time() >= deadline:
            raise Unavailable("The dead letters cannot be read now: is somebody else replaying them?")


def _again(record: Record, topic: str, mine: Sequence[Record]) -> Message:
    if record not in mine:
        return Message(record.topic, record.key, record.value, record.headers)
    headers = {name: value for name, value in record.headers.items() if name not in OF_LETTERS}
    return Message(topic, record.key, record.value, headers | {REPLAYED: str(_replays(record) + 1)})


def _replays(record: Record) -> int:
    count = record.headers.get(REPLAYED, "0")
    return int(count) if count.isdecimal() else 0


def _letter(record: Record) -> Letter:
    headers = record.headers
    group, reason = headers.get(FAILED_GROUP, ""), headers.get(REASON, "")
    return Letter(record.offset, record.timestamp, record.key, group, reason, _replays(record), len(record.value))
