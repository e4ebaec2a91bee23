"""What Kafka's failures become: sentences at start, tries for ever at run time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from xget_events.errors import Fenced, LogClosed, MessageTooLarge
from xget_events.kafka import KafkaEventLog
from xget_events.log import Consumer, Record, TopicSpec
from xget_events.opening import open_event_log
from xget_events.sqlite import SqliteEventLog
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError, Unavailable
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import drain, messages
from xget_testing.contracts.event_log.house import numbers
from xget_testing.contracts.event_log.kafka import KafkaHouse

TOPIC = "xget.pages"


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[EngineSettings]:
    """A port that nobody else can take, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield EngineSettings(home=tmp_path, kafka_bootstrap_servers=f"127.0.0.1:{taken.getsockname()[1]}")


def test_the_settings_select_the_log(tmp_path: Path) -> None:
    assert isinstance(open_event_log(EngineSettings(home=tmp_path)), SqliteEventLog)


async def test_kafka_servers_select_kafka_and_nothing_connects_yet(nowhere: EngineSettings) -> None:
    log = open_event_log(nowhere)
    assert isinstance(log, KafkaEventLog)
    await log.close()


async def test_a_login_without_a_name_is_refused_at_once(tmp_path: Path) -> None:
    settings = EngineSettings(
        home=tmp_path, kafka_bootstrap_servers="127.0.0.1:9092", kafka_security_protocol="SASL_SSL"
    )
    log = KafkaEventLog(settings)
    with pytest.raises(StartupError, match="KAFKA_SASL_USERNAME"):
        await log.create_topics([])
    await log.close()


@pytest.mark.slow
async def test_a_wrong_address_is_said_at_the_start(nowhere: EngineSettings) -> None:
    log = KafkaEventLog(nowhere)
    began = time.monotonic()
    with pytest.raises(StartupError, match=r"does not answer.*KAFKA_BOOTSTRAP_SERVERS"):
        await log.create_topics([TopicSpec(TOPIC)])
    assert time.monotonic() - began < 60.0
    await log.close()


async def test_kafka_that_is_away_is_unavailable_at_run_time(nowhere: EngineSettings) -> None:
    log = KafkaEventLog(nowhere)
    with pytest.raises(Unavailable, match=r"does not answer|could not"):
        await log.publish(messages(TOPIC, "a"))
    with pytest.raises(Unavailable):
        await log.lag("g")
    with pytest.raises(Unavailable) as caught:
        await log.consumer("g", [TOPIC]).poll(timeout=0.1)
    assert caught.value.headers["Retry-After"] == "5"
    await log.close()


@pytest.mark.connected("kafka")
class TestOnKafka:
    """What needs a broker that answers."""

    async def test_a_topic_keeps_what_it_was_made_with(self, kafka_house: KafkaHouse, kafka_servers: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_servers)
        await admin.start()
        await admin.create_topics([NewTopic(kafka_house.prefix + TOPIC, 5, 1)])
        await admin.close()
        log = await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 3)])
        await log.publish(messages(TOPIC, [f"k{n}" for n in range(50)]))
        async with log.consumer("g", [TOPIC]) as consumer:
            assert {record.partition for record in await drain(consumer, 50)} == set(range(5))

    async def test_topics_are_made_as_declared(self, kafka_house: KafkaHouse, kafka_servers: str) -> None:
        log = await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 2, retention_hours=48, max_message_mb=4)])
        with pytest.raises(MessageTooLarge, match="at most 4 MB"):
            await log.publish([Message(TOPIC, "k", bytes((4 << 20) + 1))])
        await log.publish([Message(TOPIC, "k", bytes(4 << 20))])

    async def test_more_copies_than_brokers_are_refused(self, kafka_house: KafkaHouse, tmp_path: Path) -> None:
        log = KafkaEventLog(kafka_house.settings.model_copy(update={"kafka_replication": 9}))
        with pytest.raises(StartupError, match="KAFKA_REPLICATION"):
            await log.create_topics([TopicSpec(TOPIC)])
        await log.close()

    async def test_a_closed_log_says_so(self, kafka_house: KafkaHouse) -> None:
        log = await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC)])
        consumer = log.consumer("g", [TOPIC])
        await consumer.poll(timeout=0.1)
        await log.close()
        await log.close()
        with pytest.raises(LogClosed):
            await log.publish(messages(TOPIC, "a"))
        with pytest.raises(LogClosed):
            await consumer.poll()

    async def test_lag_is_told_by_partition(self, kafka_house: KafkaHouse) -> None:
        log = await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 3)])
        await log.publish(messages(TOPIC, [f"k{n}" for n in range(30)]))
        async with log.consumer("g", [TOPIC]) as consumer:
            records = await drain(consumer, 30, commit=False)
            await consumer.commit([record for record in records if record.partition == 1])
        lag = await log.lag_by_partition("g")
        assert set(lag) == {(TOPIC, 0), (TOPIC, 1), (TOPIC, 2)}
        assert lag[(TOPIC, 1)] == 0
        assert sum(lag.values()) == sum(record.partition != 1 for record in records)

    async def test_a_commit_of_what_is_still_held_passes_beside_a_fenced_one(self, kafka_house: KafkaHouse) -> None:
        """A rebalance takes some partitions away while a batch is in hand for longer than it waits."""
        log, other = await kafka_house.open(), await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 4)])
        await log.publish(messages(TOPIC, [f"k{n}" for n in range(80)]))
        one = log.consumer("g", [TOPIC])
        records = await drain(one, 80, commit=False)
        async with other.consumer("g", [TOPIC]) as two:
            again = await first_of(two)
            with pytest.raises(Fenced):
                await one.commit(records)
            lag = await log.lag_by_partition("g")
            mine = {partition for (_, partition), count in lag.items() if count}
            again += await drain(two, sum(lag.values()) - len(again), commit=False)
            assert 0 < len(mine) < 4
            assert sorted(numbers(again)) == sorted(numbers(r for r in records if r.partition in mine))
            assert await two.poll(timeout=1.0) == []
            await two.commit(again)
            assert await log.lag("g") == {TOPIC: 0}
            assert await one.poll(timeout=0.3) == []
        await one.close()

    async def test_a_batch_in_hand_is_finished_before_its_partition_moves(self, kafka_house: KafkaHouse) -> None:
        log, other = await kafka_house.open(), await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 4)])
        await log.publish(messages(TOPIC, [f"k{n}" for n in range(80)]))
        one = log.consumer("g", [TOPIC])
        records = await drain(one, 80, commit=False)
        async with other.consumer("g", [TOPIC]) as two:
            joining = asyncio.create_task(two.poll(timeout=4.0))
            await asyncio.sleep(1.5)
            await one.commit(records)
            assert await joining == []
            assert await log.lag("g") == {TOPIC: 0}
            await one.close()

    async def test_who_lost_its_name_does_not_fight_for_it(self, kafka_house: KafkaHouse) -> None:
        """A process that hung comes back when another runs under its name: both work, neither throws the other out."""
        log, other = await kafka_house.open(), await kafka_house.open()
        await log.create_topics([TopicSpec(TOPIC, 4)])
        former = log.consumer("g", [TOPIC], member="worker-1")
        await former.poll(timeout=2.0)
        latter = other.consumer("g", [TOPIC], member="worker-1")
        seen: set[int] = set()
        calm = 0
        async with asyncio.timeout(120):
            while calm < 3 or len(seen) < 4:
                await log.publish(messages(TOPIC, [f"k{n}" for n in range(40)]))
                mine, theirs = await read(former), await read(latter)
                apart = bool(mine and theirs and not mine & theirs)
                calm = calm + 1 if apart else 0
                seen = seen | mine | theirs if apart else set()
        assert seen == {0, 1, 2, 3}
        await former.close()
        await latter.close()


async def first_of(consumer: Consumer) -> list[Record]:
    async with asyncio.timeout(60):
        while True:
            if records := await consumer.poll(timeout=1.0):
                return records


async def read(consumer: Consumer) -> set[int]:
    """Partitions that a member reads now; commits, and takes a fenced commit as it is."""
    records = await consumer.poll(timeout=0.5)
    try:
        await consumer.commit(records)
    except Fenced:
        return set()
    return {record.partition for record in records}
