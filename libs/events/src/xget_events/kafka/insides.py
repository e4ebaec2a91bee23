"""What aiokafka has no public call for, in one place; written against aiokafka 0.14."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

CLOSE_SECONDS = 5.0


class Seat:
    """The group membership of one started consumer."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    @property
    def generation(self) -> int:
        """The group's generation as this member knows it; below 0 when the group does not know the member."""
        coordinator: Any = self._consumer._coordinator
        return int(coordinator.generation) if coordinator is not None else -1

    def forget_name(self) -> None:
        """Join without the fixed name from now on.

        A member whose name another process has taken over would take it back, and the two would do so for ever.
        """
        self._consumer._coordinator._group_instance_id = None

    async def stop_heartbeats(self) -> None:
        """Be silent, as a process that hangs is; for trials."""
        await asyncio.sleep(0)  # a task that has not begun yet would pass its cancellation on
        await self._consumer._coordinator._stop_heartbeat_task()

    async def close(self, *, leave: bool) -> None:
        """Stop the consumer. With `leave` the group hears of it and gives the partitions away at once."""
        coordinator: Any = self._consumer._coordinator
        if coordinator is not None:
            if leave:
                # aiokafka lets members with a fixed name never leave; their partitions would wait for the session.
                coordinator._group_instance_id = None
            else:
                coordinator.generation = -1
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._consumer.stop()
                return
        await self._consumer._client.close()


async def refresh(consumer: AIOKafkaConsumer) -> None:
    """Ask the cluster for its topics now."""
    await consumer._client.force_metadata_update()


async def discard(producer: AIOKafkaProducer) -> None:
    """Close a producer and drop what it still holds: whoever waits for it gets an error."""
    producer._closed = True
    producer._message_accumulator.fail_all(KafkaConnectionError("The connection was given up."))
    await producer.client.close()
    # A batch that fails while its request is under way trips over its own bookkeeping; it is dropped anyway.
    with suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer._sender.close()
    await producer.client.close()
