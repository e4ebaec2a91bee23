"""Consumer groups: sharing, takeover, fencing."""

from __future__ import annotations

import asyncio

import pytest

from xget_events.errors import Fenced
from xget_events.log import Consumer, EventLog, Record, TopicSpec
from xget_testing.contracts.event_log.house import PATIENCE, LogHouse, drain, messages, nothing, numbers

KEYS = [f"key-{number}" for number in range(60)]
TOPIC = "xget.shared"


async def shared(house: LogHouse, partitions: int = 3) -> EventLog:
    """A log with the topic of these tests in it."""
    log = await house.open()
    await log.create_topics([TopicSpec(TOPIC, partitions)])
    return log


async def settle(house: LogHouse, log: EventLog, *consumers: Consumer, partitions: int = 3) -> list[set[int]]:
    """Which partitions each consumer reads once nothing moves: all read some who can, the same in two rounds in a row.

    A round lasts until all that it published was read; what is read is committed.
    """
    readers = min(len(consumers), partitions)
    before: list[set[int]] = []
    start = 1000
    async with asyncio.timeout(PATIENCE):
        while True:
            seen: list[set[int]] = [set() for _ in consumers]
            missing = set(range(start, start + len(KEYS)))
            await log.publish(messages(TOPIC, KEYS, start))
            while missing:
                await house.breathe()
                for found, consumer in zip(seen, consumers, strict=True):
                    records = await consumer.poll(timeout=0.05)
                    await consumer.commit(records)
                    found |= {record.partition for record in records}
                    missing -= set(numbers(records))
            if seen == before and sum(map(bool, seen)) == readers:
                return seen
            before = seen
            start += len(KEYS)


class GroupContract:
    """Each partition has one live reader; a reader's end passes its partitions on."""

    async def test_every_group_reads_everything(self, house: LogHouse) -> None:
        log = await shared(house)
        await log.publish(messages(TOPIC, KEYS))
        for group in ("first", "second"):
            async with log.consumer(group, [TOPIC]) as consumer:
                assert sorted(numbers(await drain(consumer, 60))) == list(range(60))

    async def test_two_members_share_the_partitions(self, house: LogHouse) -> None:
        log = await shared(house)
        async with log.consumer("readers", [TOPIC]) as one, log.consumer("readers", [TOPIC]) as two:
            first, second = await settle(house, log, one, two)
            assert first | second == {0, 1, 2}
            assert not first & second

    async def test_members_of_two_processes_share_the_partitions(self, house: LogHouse) -> None:
        log = await shared(house)
        async with log.consumer("readers", [TOPIC]) as one:
            await log.publish(messages(TOPIC, KEYS))
            await drain(one, 60)
            other = await house.open()
            async with other.consumer("readers", [TOPIC]) as two:
                first, second = await settle(house, log, one, two)
                assert first | second == {0, 1, 2}
                assert not first & second

    async def test_a_member_without_a_partition_waits(self, house: LogHouse) -> None:
        log = await shared(house, partitions=1)
        await log.publish(messages(TOPIC, KEYS))
        async with log.consumer("readers", [TOPIC]) as one:
            await drain(one, 60)
            async with log.consumer("readers", [TOPIC]) as two:
                first, second = await settle(house, log, one, two, partitions=1)
                assert sorted([first, second], key=len) == [set(), {0}]

    async def test_what_a_crash_left_uncommitted_is_read_again(self, house: LogHouse) -> None:
        log = await shared(house)
        await log.publish(messages(TOPIC, KEYS))
        consumer = log.consumer("readers", [TOPIC])
        records = await drain(consumer, 60, commit=False)
        done = [record for record in records if record.offset < 5]
        await consumer.commit(done)
        await house.crash(log)
        await house.lapse()
        log = await house.open()
        async with log.consumer("readers", [TOPIC]) as successor:
            again = await drain(successor, 60 - len(done))
            assert sorted(map(place, again + done)) == sorted(map(place, records))
            assert await nothing(successor)

    async def test_a_dead_members_partitions_pass_on_when_its_lease_ends(self, house: LogHouse) -> None:
        log, other = await shared(house), await house.open()
        await log.publish(messages(TOPIC, KEYS))
        await drain(log.consumer("readers", [TOPIC]), 60)
        await house.crash(log)
        await other.publish(messages(TOPIC, KEYS))
        async with other.consumer("readers", [TOPIC]) as successor:
            assert await nothing(successor)
            await house.lapse()
            assert sorted(numbers(await drain(successor, 60))) == list(range(60))

    async def test_a_clean_close_passes_partitions_on_at_once(self, house: LogHouse) -> None:
        log, other = await shared(house), await house.open()
        await log.publish(messages(TOPIC, KEYS))
        consumer = log.consumer("readers", [TOPIC])
        await drain(consumer, 60, commit=False)
        await consumer.close()
        async with other.consumer("readers", [TOPIC]) as successor:
            assert sorted(numbers(await drain(successor, 60))) == list(range(60))

    async def test_a_named_member_takes_over_from_its_former_life_at_once(self, house: LogHouse) -> None:
        log, other = await shared(house), await house.open()
        await log.publish(messages(TOPIC, KEYS))
        await drain(log.consumer("readers", [TOPIC], member="worker-1"), 60, commit=False)
        await house.crash(log)
        async with other.consumer("readers", [TOPIC], member="worker-1") as successor:
            assert sorted(numbers(await drain(successor, 60))) == list(range(60))

    async def test_the_commit_of_a_zombie_is_refused(self, house: LogHouse) -> None:
        log, other = await shared(house), await house.open()
        await log.publish(messages(TOPIC, KEYS))
        zombie = log.consumer("readers", [TOPIC])
        records = await drain(zombie, 60, commit=False)
        await house.stall(log)
        async with other.consumer("readers", [TOPIC]) as successor:
            await house.lapse()
            again = await drain(successor, 60, commit=False)
            with pytest.raises(Fenced, match="another member"):
                await zombie.commit(records)
            assert (await other.lag("readers"))[TOPIC] == 60
            await successor.commit(again)
        assert (await other.lag("readers"))[TOPIC] == 0

    async def test_a_commit_never_goes_back(self, house: LogHouse) -> None:
        log = await shared(house, partitions=1)
        await log.publish(messages(TOPIC, KEYS))
        async with log.consumer("readers", [TOPIC]) as consumer:
            records = await drain(consumer, 60, commit=False)
            await consumer.commit(records)
            await consumer.commit(records[:10])
        async with log.consumer("readers", [TOPIC]) as consumer:
            assert await nothing(consumer)


def place(record: Record) -> tuple[int, int]:
    """Where a record lies in its topic."""
    return record.partition, record.offset
