"""The producer: idempotent, acks=all, one connection for the process, replaced when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from xget_events.errors import LogClosed
from xget_events.kafka.access import REQUEST_SECONDS, Access
from xget_events.kafka.insides import CLOSE_SECONDS, discard

BATCH_BYTES = 1 << 20
MAX_REQUEST = 17 << 20
"""A body of 16 MB and its headers."""
SLOWEST = 1 << 20
"""Bytes a second that a publish is waited for at least."""


class Row(NamedTuple):
    """A message on its way; the topic is Kafka's name of it."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Publisher:
    """Sends rows in order and waits until all in-sync replicas have them.

    aiokafka has one batch per partition under way and never gives up on it, so that order holds whatever the broker
    does. When a publish fails or takes too long the whole producer is given up: nothing of it can arrive later than
    what the caller sends in its next try by the new one.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def publish(self, rows: Sequence[Row], doing: str) -> None:
        """Send rows. Raises errors.Unavailable, MessageTooLarge, UnknownTopic."""
        producer = await self._ready(doing)
        patience = REQUEST_SECONDS + sum(len(row.value) for row in rows) / SLOWEST + len(rows) / 2000
        futures: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(patience):
                for row in rows:
                    futures.append(
                        await producer.send(row.topic, row.value, row.key, row.partition, headers=row.headers)
                    )
                for future in futures:
                    await future
        except (KafkaError, TimeoutError, OSError) as error:
            await self._give_up(producer)
            raise self._access.explained(error, doing) from error
        finally:
            for future in futures:
                _heard(future)

    async def close(self) -> None:
        """Send what is under way, for a few seconds at most."""
        self._closed = True
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await producer.flush()
                await producer.stop()
                return
        await discard(producer)

    async def _ready(self, doing: str) -> AIOKafkaProducer:
        async with self._lock:
            if self._closed:
                raise LogClosed("The event log is closed.")
            if self._producer is None:
                self._producer = await self._started(doing)
            return self._producer

    async def _started(self, doing: str) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._access.options(),
            client_id="xget",
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            max_request_size=MAX_REQUEST,
        )
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                await producer.start()
        except BaseException as error:
            await discard(producer)
            if isinstance(error, KafkaError | TimeoutError | OSError):
                raise self._access.explained(error, doing) from error
            raise
        return producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """Drop a producer that failed; the first of those who wait for it does."""
        if self._producer is producer:
            self._producer = None
            await discard(producer)


def _heard(future: asyncio.Future[object]) -> None:
    """Nobody waits for it any longer: its failure is no surprise."""
    if not future.done():
        future.cancel()
    elif not future.cancelled():
        future.exception()
