"""The event log on Kafka beside bare aiokafka, both ways, on the same broker with the same settings.

Out: messages with CloudEvents headers in batches, each batch acknowledged (idempotent, acks=all, lz4) before the next.
In: a new group reads all of them in batches and commits each. Both sides take turns; each keeps its best of five. The
clock covers neither connecting nor joining. Kafka is the one of `XGET_ENGINES`, or one started for this measure.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.table import Row, report
from xget_events.kafka import KafkaEventLog
from xget_events.log import TopicSpec, partition_of
from xget_kernel.engines import EngineSettings
from xget_kernel.ids import new_id
from xget_kernel.messages import Message
from xget_testing.contracts.event_log.kafka import delete_topics
from xget_testing.engines import OwnEngines

TARGET = 0.8
ROUNDS = 5
BATCH = 500
PARTITIONS = 3
TOPIC = "bench"


class Load(NamedTuple):
    """What is sent."""

    name: str
    messages: int
    size: int
    batch: int


LOADS = (Load("500 B", 20_000, 500, 500), Load("90 KB", 600, 90_000, 25))


def measure() -> list[Row]:
    """Two rows for each size of message."""
    with ExitStack() as stack:
        servers = _servers(stack)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return [row for load in LOADS for row in asyncio.run(_measure(load, servers, home))]


def _servers(stack: ExitStack) -> str:
    file = os.environ.get("XGET_ENGINES")
    if file:
        return str(json.loads(Path(file).read_text("utf-8"))["kafka"])
    engines = stack.enter_context(OwnEngines("bench"))
    return engines.start("kafka")["kafka"]


async def _measure(load: Load, servers: str, home: Path) -> list[Row]:
    best = dict.fromkeys(("out", "bare out", "in", "bare in"), float("inf"))
    for _ in range(ROUNDS):
        prefix = f"bench-{new_id()[-12:]}."
        settings = EngineSettings(home=home, kafka_bootstrap_servers=servers, kafka_prefix=prefix)
        log = KafkaEventLog(settings)
        try:
            await log.create_topics([TopicSpec(TOPIC, PARTITIONS), TopicSpec("bare", PARTITIONS)])
            for name, run in _runs(load, log, servers, prefix).items():
                best[name] = min(best[name], await run())
        finally:
            await log.close()
            await delete_topics(servers, prefix)
    return [_row(f"events {way}, {load.name}", load, ours=best[way], bare=best[f"bare {way}"]) for way in ("out", "in")]


def _runs(load: Load, log: KafkaEventLog, servers: str, prefix: str) -> dict[str, Callable[[], Awaitable[float]]]:
    messages = _messages(load)
    return {
        "bare out": lambda: _bare_out(load, messages, servers, prefix + "bare"),
        "out": lambda: _out(load, messages, log),
        "bare in": lambda: _bare_in(load, servers, prefix),
        "in": lambda: _in(load, log),
    }


def _messages(load: Load) -> list[Message]:
    headers = {"ce_specversion": "1.0", "ce_type": "xget.PageStored", "ce_source": "/xget/bench"}
    bodies = [os.urandom(load.size // 2).hex().encode() for _ in range(20)]
    return [
        Message(
            TOPIC, f"key-{n % 50}", bodies[n % 20], headers | {"ce_id": new_id(), "ce_time": "2026-01-01T00:00:00Z"}
        )
        for n in range(load.messages)
    ]


async def _out(load: Load, messages: list[Message], log: KafkaEventLog) -> float:
    await log.publish(messages[:1])
    began = time.perf_counter()
    for start in range(1, load.messages, load.batch):
        await log.publish(messages[start : start + load.batch])
    return time.perf_counter() - began


async def _bare_out(load: Load, messages: list[Message], servers: str, topic: str) -> float:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        max_batch_size=1 << 20,
        max_request_size=17 << 20,
    )
    await producer.start()
    rows = [
        (m.value, m.key.encode(), partition_of(m.key, PARTITIONS), [(k, v.encode()) for k, v in m.headers.items()])
        for m in messages
    ]
    value, key, partition, headers = rows[0]
    await producer.send_and_wait(topic, value, key, partition, headers=headers)
    began = time.perf_counter()
    for start in range(1, load.messages, load.batch):
        futures = [
            await producer.send(topic, value, key, partition, headers=headers)
            for value, key, partition, headers in rows[start : start + load.batch]
        ]
        await asyncio.gather(*futures)
    took = time.perf_counter() - began
    await producer.stop()
    return took


async def _in(load: Load, log: KafkaEventLog) -> float:
    async with log.consumer("ours", [TOPIC]) as consumer:
        first = await consumer.poll(1, timeout=10.0)
        began, seen = time.perf_counter(), len(first)
        while seen < load.messages:
            records = await consumer.poll(BATCH, timeout=5.0)
            await consumer.commit(records)
            seen += len(records)
        return time.perf_counter() - began


async def _bare_in(load: Load, servers: str, prefix: str) -> float:
    consumer = AIOKafkaConsumer(
        prefix + "bare",
        bootstrap_servers=servers,
        group_id=prefix + "bare",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    first = await consumer.getmany(timeout_ms=10_000, max_records=1)
    began, seen = time.perf_counter(), sum(map(len, first.values()))
    while seen < load.messages:
        records = await consumer.getmany(timeout_ms=5000, max_records=BATCH)
        await consumer.commit()
        seen += sum(map(len, records.values()))
    took = time.perf_counter() - began
    await consumer.stop()
    return took


def _row(name: str, load: Load, *, ours: float, bare: float) -> Row:
    return Row(
        name=name,
        ours=f"{load.messages / ours:,.0f}/s",
        peer=f"{load.messages / bare:,.0f}/s (aiokafka)",
        value=f"{bare / ours:.2f}x",
        target=f"≥ {TARGET}x",
        ok=bare / ours >= TARGET,
    )


if __name__ == "__main__":
    sys.exit(report(measure()))
