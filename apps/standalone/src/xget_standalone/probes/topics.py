"""All that a topic on Kafka holds now, without being a member of a group."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from xget_kernel.errors import Unavailable
from xget_kernel.settings import ServiceSettings
from xget_standalone.probes.events import connection

_SECONDS: Final = 10.0
_PATIENCE: Final = 60.0


async def read_topic(settings: ServiceSettings, topic: str) -> AsyncIterator[tuple[str, bytes, dict[str, str]]]:
    """Key, body and headers of every record, in order within a partition. Raises Unavailable."""
    places = (await _partitions(settings, [topic])).get(topic, [])
    if not places:
        return
    async with _consumer(settings) as consumer:
        consumer.assign(places)
        first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        for place in places:
            consumer.seek(place, first[place])
        while not all([await consumer.position(place) >= last[place] for place in places]):
            async with asyncio.timeout(_PATIENCE):
                found = await consumer.getmany(timeout_ms=1000)
            for record in (record for some in found.values() for record in some):
                headers = {header: value.decode() for header, value in record.headers}
                yield (record.key or b"").decode(), record.value or b"", headers


async def sizes(settings: ServiceSettings, topics: list[str]) -> dict[str, int]:
    """Records in each of these topics that exist. Raises Unavailable."""
    places = await _partitions(settings, topics)
    everywhere = [place for some in places.values() for place in some]
    if not everywhere:
        return {}
    async with _consumer(settings) as consumer:
        first, last = await consumer.beginning_offsets(everywhere), await consumer.end_offsets(everywhere)
    return {topic: sum(last[place] - first[place] for place in some) for topic, some in places.items()}


@asynccontextmanager
async def _consumer(settings: ServiceSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**connection(settings, _SECONDS), enable_auto_commit=False)
    with _answering():
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()


async def _partitions(settings: ServiceSettings, topics: list[str]) -> dict[str, list[TopicPartition]]:
    """Partitions of those topics that exist, in order. A consumer only knows those of topics that it reads."""
    client = AIOKafkaAdminClient(**connection(settings, _SECONDS))
    with _answering():
        try:
            await client.start()
            answers = await client.describe_topics([settings.kafka_prefix + topic for topic in topics])
        finally:
            await client.close()
    return {
        one["topic"].removeprefix(settings.kafka_prefix): [
            TopicPartition(one["topic"], number) for number in sorted(part["partition"] for part in one["partitions"])
        ]
        for one in answers
        if one["error_code"] == 0
    }


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(
            f"Kafka could not be read ({reason}): start it, or correct KAFKA_BOOTSTRAP_SERVERS, then retry."
        ) from error
