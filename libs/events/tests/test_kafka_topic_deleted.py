"""Somebody deletes a topic while messages flow: it is made again, and what it did not hold yet arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from xget_events.kafka import KafkaEventLog
from xget_events.log import Record, TopicSpec
from xget_events.runner import ConsumerRunner
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import messages
from xget_testing.contracts.event_log.kafka import KafkaHouse, delete

pytestmark = [pytest.mark.slow, pytest.mark.connected("kafka")]
PAGES, RESULTS = TopicSpec("xget.pages", 4), TopicSpec("xget.results", 4)
RECOVERY_SECONDS = 90.0


class Line:
    """Pages are parsed by one process and their results stored by another, as in XGet; four keys, numbered pages."""

    def __init__(self, collecting: KafkaEventLog, parsing: KafkaEventLog, storing: KafkaEventLog) -> None:
        self.parsing, self.storing, self.collecting = parsing, storing, collecting
        self.collected: list[str] = []
        self.announced: dict[str, float] = {}
        """Pages whose results were durable, and since when."""
        self.stored: list[str] = []

    async def collect(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            page = str(len(self.collected))
            await self.collecting.publish([Message(PAGES.name, f"k{len(self.collected) % 4}", page.encode())])
            self.collected.append(page)
            await asyncio.sleep(0.02)

    async def parse(self, records: list[Record]) -> None:
        await self.parsing.publish([Message(RESULTS.name, record.key, record.value) for record in records])
        self.announced |= {record.value.decode(): time.monotonic() for record in records}

    async def store(self, records: list[Record]) -> None:
        self.stored += [record.value.decode() for record in records]

    async def caught_up(self, wanted: set[str], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while missing := wanted - set(self.stored):
            assert time.monotonic() < deadline, f"{len(missing)} are missing: {sorted(missing, key=int)[:20]}"
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running(house: KafkaHouse) -> AsyncIterator[Line]:
    line = Line(*[await house.open() for _ in range(3)])
    for log in (line.collecting, line.parsing, line.storing):
        await log.create_topics([PAGES, RESULTS])
    collecting, stop = asyncio.Event(), asyncio.Event()
    parser = ConsumerRunner(line.parsing, "processing", [PAGES.name], line.parse, batch=20)
    keeper = ConsumerRunner(line.storing, "storage", [RESULTS.name], line.store)
    async with asyncio.TaskGroup() as group:
        group.create_task(line.collect(collecting))
        group.create_task(parser.run(stop))
        group.create_task(keeper.run(stop))
        try:
            yield line
            collecting.set()
            await asyncio.sleep(0.5)
        finally:
            collecting.set()
            stop.set()


@asynccontextmanager
async def admin_of(house: KafkaHouse) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=house.settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def test_a_topic_that_is_deleted_while_messages_flow_is_made_again(
    kafka_house: KafkaHouse,
) -> None:
    name = kafka_house.prefix + RESULTS.name
    async with running(kafka_house) as line, admin_of(kafka_house) as admin:
        await line.caught_up({str(n) for n in range(100)}, RECOVERY_SECONDS)
        await delete(admin, name)
        deleted = time.monotonic()
        before = len(line.collected)
        while len(line.collected) < before + 100:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.1)
        last = set(line.collected)
        deadline = deleted + RECOVERY_SECONDS
        while not last <= line.announced.keys():
            assert time.monotonic() < deadline, "results are not taken"
            await asyncio.sleep(0.1)
        # what was durable before could be in the deleted topic, read or not; all else has to arrive
        await line.caught_up({page for page in last if line.announced[page] > deleted}, deadline - time.monotonic())
        (made,) = await admin.describe_topics([name])
        assert len(made["partitions"]) == RESULTS.partitions
        lost = [page for page in last if page not in line.stored]
        assert all(line.announced[page] <= deleted for page in lost)
        assert line.parsing.trouble is None
    dead = await dead_letters(kafka_house)
    assert dead == 0


async def dead_letters(house: KafkaHouse) -> int:
    log = await house.open()
    async with log.consumer("look", [f"{PAGES.name}.dlq", f"{RESULTS.name}.dlq"]) as consumer:
        return len(await consumer.poll(timeout=2.0))


async def test_a_topic_that_is_replaced_in_a_moment_is_read_from_its_first_record(kafka_house: KafkaHouse) -> None:
    log = await kafka_house.open()
    name = kafka_house.prefix + RESULTS.name
    await log.create_topics([RESULTS])
    await log.publish(messages(RESULTS.name, [f"k{n}" for n in range(400)]))
    async with log.consumer("storage", [RESULTS.name]) as consumer, admin_of(kafka_house) as admin:
        seen = 0
        while seen < 400:
            records = await consumer.poll()
            await consumer.commit(records)
            seen += len(records)
        await admin.delete_topics([name])
        await admin.create_topics([NewTopic(name, RESULTS.partitions, 1)])
        other = await kafka_house.open()
        await other.create_topics([RESULTS])
        await other.publish([Message(RESULTS.name, f"new{n}", b"new") for n in range(40)])
        found: set[str] = set()
        async with asyncio.timeout(RECOVERY_SECONDS):
            while len(found) < 40:
                records = await consumer.poll()
                await consumer.commit(records)
                found |= {record.key for record in records}
        assert found == {f"new{n}" for n in range(40)}
        assert await log.lag("storage") == {RESULTS.name: 0}


async def test_who_writes_to_a_deleted_topic_alone_makes_it_again(kafka_house: KafkaHouse) -> None:
    log = await kafka_house.open()
    await log.create_topics([RESULTS])
    await log.publish(messages(RESULTS.name, ["a"]))
    async with admin_of(kafka_house) as admin:
        await delete(admin, kafka_house.prefix + RESULTS.name)
    await log.publish(messages(RESULTS.name, ["b"]))
    async with log.consumer("storage", [RESULTS.name]) as consumer, asyncio.timeout(RECOVERY_SECONDS):
        while not (records := await consumer.poll()):
            pass
    assert [record.key for record in records] == ["b"]
