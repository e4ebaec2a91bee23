"""Publishing and reading: order, partitions, bodies, wake-ups."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest

from xget_events.errors import MessageTooLarge, UnknownTopic
from xget_events.log import TopicSpec, partition_of
from xget_kernel.messages import Message
from xget_testing.contracts.event_log.house import PATIENCE, LogHouse, drain, messages, nothing, numbers

KEYS = ["a", "b", "c", "d", "e", "f", "g"]


class DeliveryContract:
    """Order per key, stable partitions, dense offsets, bodies up to 16 MB."""

    async def test_a_record_is_the_message_that_was_published(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.one")])
        await log.publish([Message("xget.one", "键 🔑", b'{"a": 1}', {"ce_id": "7", "x-ünïcode": "人工智能"})])
        async with log.consumer("readers", ["xget.one"]) as consumer:
            (record,) = await drain(consumer, 1)
        assert (record.topic, record.key, record.value) == ("xget.one", "键 🔑", b'{"a": 1}')
        assert record.headers == {"ce_id": "7", "x-ünïcode": "人工智能"}
        assert (record.partition, record.offset, record.timestamp.tzinfo) == (0, 0, UTC)

    async def test_records_of_a_key_keep_their_order(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        for start in range(0, 300, 30):
            await log.publish(messages("xget.three", (KEYS * 5)[:30], start))
        async with log.consumer("readers", ["xget.three"]) as consumer:
            records = await drain(consumer, 300)
        for key in KEYS:
            seen = numbers(record for record in records if record.key == key)
            assert seen == sorted(seen)
        assert sorted(numbers(records)) == list(range(300))

    async def test_a_key_stays_in_its_partition_after_a_restart(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        await log.publish(messages("xget.three", KEYS))
        await log.close()
        log = await house.open()
        await log.publish(messages("xget.three", KEYS))
        async with log.consumer("readers", ["xget.three"]) as consumer:
            records = await drain(consumer, 14)
        assert {(record.key, record.partition) for record in records} == {(key, partition_of(key, 3)) for key in KEYS}

    async def test_offsets_are_dense_in_each_partition(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        await asyncio.gather(*(log.publish(messages("xget.three", KEYS)) for _ in range(10)))
        async with log.consumer("readers", ["xget.three"]) as consumer:
            records = await drain(consumer, 70)
        for partition in range(3):
            offsets = [record.offset for record in records if record.partition == partition]
            assert offsets == list(range(len(offsets)))

    async def test_creating_a_topic_again_keeps_its_partitions_and_records(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        await log.publish(messages("xget.three", KEYS))
        await log.create_topics([TopicSpec("xget.three", 3)])
        async with log.consumer("readers", ["xget.three"]) as consumer:
            assert sorted(numbers(await drain(consumer, 7))) == list(range(7))

    async def test_a_poll_respects_its_maximum(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        await log.publish(messages("xget.three", KEYS * 3))
        async with log.consumer("readers", ["xget.three"]) as consumer:
            records = await consumer.poll(max_records=5, timeout=PATIENCE)
            assert 1 <= len(records) <= 5

    async def test_an_empty_poll_ends_after_its_timeout(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.one")])
        async with log.consumer("readers", ["xget.one"]) as consumer:
            assert await nothing(consumer)

    @pytest.mark.parametrize("same_process", [True, False])
    async def test_a_waiting_poll_wakes_for_a_publish(self, house: LogHouse, same_process: bool) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.one")])
        sender = log if same_process else await house.open()
        async with log.consumer("readers", ["xget.one"]) as consumer:
            waiting = asyncio.create_task(consumer.poll(timeout=PATIENCE))
            await asyncio.sleep(0.05)
            began = asyncio.get_running_loop().time()
            await sender.publish(messages("xget.one", "a"))
            assert numbers(await waiting) == [0]
        assert asyncio.get_running_loop().time() - began < PATIENCE / 2, "the publish woke it, and not its timeout"

    async def test_a_consumer_may_wait_for_a_topic_that_is_made_later(self, house: LogHouse) -> None:
        log = await house.open()
        async with log.consumer("readers", ["xget.late"]) as consumer:
            assert await nothing(consumer)
            await log.create_topics([TopicSpec("xget.late")])
            await log.publish(messages("xget.late", "a"))
            assert numbers(await drain(consumer, 1)) == [0]

    async def test_a_topic_that_nobody_made_is_refused(self, house: LogHouse) -> None:
        log = await house.open()
        with pytest.raises(UnknownTopic, match=r"xget\.none"):
            await log.publish(messages("xget.none", "a"))

    async def test_a_body_of_16_mb_passes_and_a_larger_one_is_refused(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.one")])
        largest = bytes(16 << 20)
        await log.publish([Message("xget.one", "a", largest)])
        with pytest.raises(MessageTooLarge, match="at most 16 MB"):
            await log.publish([Message("xget.one", "a", b"small"), Message("xget.one", "a", largest + b"x")])
        async with log.consumer("readers", ["xget.one"]) as consumer:
            assert [record.value for record in await drain(consumer, 1)] == [largest]
            assert await nothing(consumer)

    async def test_large_bodies_come_in_several_polls(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.one")])
        for _ in range(4):
            await log.publish([Message("xget.one", "a", bytes(12 << 20))])
        async with log.consumer("readers", ["xget.one"]) as consumer:
            assert 0 < len(await consumer.poll(timeout=PATIENCE)) < 4
            assert len(await drain(consumer, 1)) >= 1

    async def test_every_topic_comes_with_a_dead_letter_topic(self, house: LogHouse) -> None:
        log = await house.open()
        await log.create_topics([TopicSpec("xget.three", 3)])
        await log.publish([Message("xget.three.dlq", "a", b"0", {"xget-reason": "does not decode"})])
        async with log.consumer("menders", ["xget.three.dlq"]) as consumer:
            (letter,) = await drain(consumer, 1)
        assert letter.headers["xget-reason"] == "does not decode"
