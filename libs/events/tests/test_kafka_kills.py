"""kill -9 of the broker, of a member's process and of a hanging one: nothing lost, order per key, back by itself."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from xget_events.kafka import KafkaEventLog
from xget_events.log import Record, TopicSpec
from xget_events.runner import ConsumerRunner
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import Unavailable
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import drain, messages
from xget_testing.contracts.event_log.kafka import LEASE, KafkaHouse
from xget_testing.engines import OwnEngines

pytestmark = [pytest.mark.connected("kafka"), pytest.mark.slow]

TOPIC = "xget.pages"
KEYS = 7
RECOVERY = 90.0


@pytest.fixture
async def own_broker() -> AsyncIterator[OwnEngines]:
    engines = OwnEngines("events")
    try:
        yield engines
    finally:
        await asyncio.to_thread(engines.stop)


class Traffic:
    """Sends numbered messages for as long as it may and notes what arrives."""

    def __init__(self, log: KafkaEventLog) -> None:
        self.log = log
        self.sent = 0
        self.seen: list[list[int]] = [[] for _ in range(KEYS)]
        self.arrived = 0

    async def send(self, stop: asyncio.Event) -> None:
        """Publish in twos and threes, each again until the log has it, as the outbox's relay does."""
        for size in itertools.cycle((1, 2, 3, 20)):
            if stop.is_set():
                return
            numbers = range(self.sent, self.sent + size)
            batch = [Message(TOPIC, f"key-{n % KEYS}", str(n).encode()) for n in numbers]
            while True:
                try:
                    await self.log.publish(batch)
                    break
                except Unavailable:
                    await asyncio.sleep(0.2)
            self.sent += size
            await asyncio.sleep(0.01)

    async def handle(self, records: list[Record]) -> None:
        for record in records:
            self.seen[int(record.key.removeprefix("key-"))].append(int(record.value))
        self.arrived += len(records)

    def check(self) -> None:
        """All came, and nothing came before what was sent before it under its key."""
        assert {n for numbers in self.seen for n in numbers} == set(range(self.sent))
        for numbers in self.seen:
            first = list(dict.fromkeys(numbers))
            assert first == sorted(first)


async def moves_on(traffic: Traffic) -> float:
    """Seconds until what is sent now has arrived."""
    began = time.monotonic()
    sent = traffic.sent
    async with asyncio.timeout(RECOVERY):
        while traffic.sent <= sent or not any(n >= sent for numbers in traffic.seen for n in numbers[-50:]):  # noqa: ASYNC110 - what arrived has no event
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def test_a_killed_broker_that_comes_back_has_lost_and_mixed_up_nothing(
    own_broker: OwnEngines, tmp_path: Path
) -> None:
    urls = await asyncio.to_thread(own_broker.start, "kafka")
    settings = EngineSettings(home=tmp_path, kafka_bootstrap_servers=urls["kafka"])
    log = KafkaEventLog(settings)
    await log.create_topics([TopicSpec(TOPIC, 3)])
    traffic, quiet, stop = Traffic(log), asyncio.Event(), asyncio.Event()
    runners = [ConsumerRunner(log, "g", [TOPIC], traffic.handle, member=f"m{n}", batch=50) for n in range(2)]
    tasks = [asyncio.create_task(runner.run(stop)) for runner in runners]
    sending = asyncio.create_task(traffic.send(quiet))
    await moves_on(traffic)
    for pause in (0.0, 7.0):
        await asyncio.to_thread(own_broker.kill, "kafka")
        await asyncio.sleep(pause)
        await asyncio.to_thread(own_broker.start, "kafka")
        assert await moves_on(traffic) < RECOVERY
    quiet.set()
    await sending
    async with asyncio.timeout(RECOVERY):
        while (await log.lag("g"))[TOPIC]:  # noqa: ASYNC110 - the group's offsets have no event
            await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(*tasks)
    traffic.check()
    await log.close()


READER = """
import asyncio, sys
from pathlib import Path
from xget_events.kafka import KafkaEventLog
from xget_kernel.engines import EngineSettings

async def main():
    log = KafkaEventLog(EngineSettings(), lease_seconds=float(sys.argv[2]))
    async with log.consumer("g", ["xget.pages"], member=sys.argv[1] or None) as consumer:
        seen = 0
        while True:
            records = await consumer.poll(20)
            seen += len(records)
            if seen <= 60:
                await consumer.commit(records)
            print(seen, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(("name", "lease"), [("", LEASE), ("worker-1", 20 * LEASE)])
async def test_a_killed_members_work_is_taken_over(kafka_house: KafkaHouse, name: str, lease: float) -> None:
    """By anybody when its lease has ended, before that by the next process of its name."""
    log = await kafka_house.open()
    await log.create_topics([TopicSpec(TOPIC, 3)])
    await log.publish(messages(TOPIC, [f"key-{n}" for n in range(200)]))
    selected = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka_house.settings.kafka_bootstrap_servers or "",
        "KAFKA_PREFIX": kafka_house.prefix,
    }
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", READER, name, str(lease), stdout=asyncio.subprocess.PIPE, env=os.environ | selected
    )
    assert victim.stdout is not None
    try:
        while int(await victim.stdout.readline()) < 200:
            pass
    finally:
        with suppress(ProcessLookupError):
            victim.kill()
        await victim.communicate()
    left = (await log.lag("g"))[TOPIC]
    assert 0 < 200 - left <= 60
    began = time.monotonic()
    async with log.consumer("g", [TOPIC], member=name or None) as successor:
        await drain(successor, left)
    assert time.monotonic() - began < (lease if name else 30.0)
    assert await log.lag("g") == {TOPIC: 0}
