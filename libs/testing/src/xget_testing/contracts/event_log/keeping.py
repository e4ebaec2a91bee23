"""What is kept: durability, lag, retention."""

from __future__ import annotations

from xget_events.log import TopicSpec
from xget_testing.contracts.event_log.house import LogHouse, drain, messages, nothing, numbers

KEYS = [f"key-{number}" for number in range(30)]
TOPIC = "xget.kept"


class KeepingContract:
    """What was published stays until every group has it and its time is over."""

    async def test_records_and_commits_outlive_a_restart(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 3)])
        await log.publish(messages(TOPIC, KEYS))
        async with log.consumer("readers", [TOPIC]) as consumer:
            await drain(consumer, 30)
        await log.publish(messages(TOPIC, KEYS, start=30))
        await log.close()
        log = await house.open()
        async with log.consumer("readers", [TOPIC]) as consumer:
            assert sorted(numbers(await drain(consumer, 30))) == list(range(30, 60))

    async def test_records_outlive_a_crash_right_after_the_publish(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 3)])
        await log.publish(messages(TOPIC, KEYS))
        await house.crash(log)
        log = await house.open()
        async with log.consumer("readers", [TOPIC]) as consumer:
            assert sorted(numbers(await drain(consumer, 30))) == list(range(30))

    async def test_lag_counts_what_is_not_committed(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 3), TopicSpec("xget.other")])
        assert await log.lag("readers") == {}
        await log.publish(messages(TOPIC, KEYS) + messages("xget.other", "ab"))
        async with log.consumer("readers", [TOPIC, "xget.other"]) as consumer:
            records = await drain(consumer, 32, commit=False)
            assert await log.lag("readers") == {TOPIC: 30, "xget.other": 2}
            await consumer.commit([record for record in records if record.topic == TOPIC])
            assert await log.lag("readers") == {TOPIC: 0, "xget.other": 2}

    async def test_retention_deletes_what_is_old(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 3, retention_hours=24)])
        await log.publish(messages(TOPIC, KEYS))
        await house.age(log, hours=25)
        await log.publish(messages(TOPIC, KEYS, start=30))
        await house.age(log, hours=1)
        async with log.consumer("late", [TOPIC]) as consumer:
            records = await drain(consumer, 30)
            assert sorted(numbers(records)) == list(range(30, 60))
            assert await nothing(consumer)
        assert min(record.offset for record in records) > 0

    async def test_retention_waits_for_the_slowest_group(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 1, retention_hours=24)])
        await log.publish(messages(TOPIC, KEYS))
        async with log.consumer("slow", [TOPIC]) as consumer:
            records = await drain(consumer, 30, commit=False)
            await consumer.commit(records[:10])
        async with log.consumer("quick", [TOPIC]) as consumer:
            await drain(consumer, 30)
        await house.age(log, hours=48)
        async with log.consumer("slow", [TOPIC]) as consumer:
            assert numbers(await drain(consumer, 20)) == list(range(10, 30))
        async with log.consumer("new", [TOPIC]) as consumer:
            assert numbers(await drain(consumer, 20)) == list(range(10, 30))

    async def test_a_retention_of_zero_keeps_for_ever(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec(TOPIC, 1, retention_hours=0)])
        await log.publish(messages(TOPIC, KEYS))
        await house.age(log, hours=100_000)
        async with log.consumer("readers", [TOPIC]) as consumer:
            assert len(await drain(consumer, 30)) == 30
