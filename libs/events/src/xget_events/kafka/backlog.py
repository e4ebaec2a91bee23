"""How far behind groups are, without being a member of them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from xget_events.kafka.access import REQUEST_SECONDS, Access
from xget_events.kafka.topics import Topics

NEVER = -1
FIRST_SECONDS = 5.0
"""A cluster that never had a group makes the place for them when somebody asks, and has no answer until then."""


class Backlog:
    """Reads committed offsets and the ends of partitions."""

    def __init__(self, access: Access, topics: Topics) -> None:
        self._access = access
        self._topics = topics
        self._reader: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def of(self, group: str) -> dict[TopicPartition, int]:
        """Records that the group has not committed, by partition, over all that it ever read."""
        offsets = await self._topics.ask(lambda admin: _offsets(admin, group), f"read the offsets of {group}")
        committed = {place: meta.offset for place, meta in offsets.items() if meta.offset != NEVER}
        if not committed:
            return {}
        starts, ends = await self._edges(list(committed))
        return {place: max(0, ends[place] - max(offset, starts[place])) for place, offset in sorted(committed.items())}

    async def close(self) -> None:
        """Close the connection; the next question opens another."""
        async with self._lock:
            await self._drop()

    async def _edges(self, places: list[TopicPartition]) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """First offsets and the next ones to be written."""
        async with self._lock:
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    reader = await self._ready()
                    return await reader.beginning_offsets(places), await reader.end_offsets(places)
            except (KafkaError, OSError, TimeoutError) as error:
                await self._drop()
                raise self._access.explained(error, "say where its partitions end") from error

    async def _ready(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = AIOKafkaConsumer(**self._access.options(request_seconds=5.0), client_id="xget")
            self._reader = reader
            await reader.start()
        return self._reader

    async def _drop(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await reader.stop()


async def _offsets(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, Any]:
    """What the group committed."""
    patience = asyncio.get_running_loop().time() + FIRST_SECONDS
    while True:
        try:
            return dict(await admin.list_consumer_group_offsets(group))
        except GroupCoordinatorNotAvailableError:
            if asyncio.get_running_loop().time() > patience:
                raise
        await asyncio.sleep(0.2)
