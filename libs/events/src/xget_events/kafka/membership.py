"""Joining a group and leaving it: one aiokafka consumer at a time, made anew after a failure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from xget_events.kafka.access import REQUEST_SECONDS, Access
from xget_events.kafka.holding import Holding
from xget_events.kafka.insides import Seat

FETCH_BYTES = 32 << 20
"""Bytes that one fetch returns over all partitions."""
PARTITION_FETCH_BYTES = 2 << 20
"""Bytes that one fetch returns of a partition, as they are on the disk; a larger batch comes whole."""
REBALANCE_SECONDS = 10.0
"""How long the group waits for a living member to finish what it has in hand."""
FOR_EVER_MS = 20 * 86_400_000


class Joined(NamedTuple):
    """A consumer that is in the group, or on its way."""

    client: AIOKafkaConsumer
    holding: Holding


class Membership:
    """One member of a group. With a name it takes over from a former life of that name at once (static membership)."""

    def __init__(self, access: Access, group: str, name: str | None, lease_seconds: float) -> None:
        self.access = access
        self.group = group
        self.current: Joined | None = None
        self._name = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:200] if name else None
        self._lease = lease_seconds
        self._seat: Seat | None = None

    async def join(self, topics: Sequence[str]) -> Joined:
        """Be a member; partitions come later. Raises errors.Unavailable."""
        if self.current is None:
            client = self._client()
            seat = Seat(client)
            try:
                async with asyncio.timeout(REQUEST_SECONDS):
                    await client.start()
            except BaseException as error:
                await seat.close(leave=False)
                if isinstance(error, KafkaError | TimeoutError | OSError):
                    raise self.access.explained(error, f"let {self.group} in") from error
                raise
            self._seat = seat
            self.current = Joined(client, Holding(client, seat))
            client.subscribe(topics, listener=self.current.holding)
        return self.current

    async def leave(self, *, tell: bool = True) -> None:
        """End the membership. With `tell` the group hears of it and gives the partitions to others at once."""
        joined, self.current = self.current, None
        seat, self._seat = self._seat, None
        if joined is not None and seat is not None:
            joined.holding.release()
            await seat.close(leave=tell)

    async def stall(self) -> None:
        """Send no heartbeats from now on; for trials."""
        if self._seat is not None:
            await self._seat.stop_heartbeats()

    def _client(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            # The group answers a join when all have joined, so a request takes longer than that.
            **self.access.options(request_seconds=REBALANCE_SECONDS + 5.0),
            client_id=self._name or "xget",
            group_id=self.group,
            group_instance_id=self._name,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._lease * 1000),
            heartbeat_interval_ms=int(self._lease * 1000 / 6),
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            # A handler may wait for an engine as long as it takes: heartbeats tell the living from the dead.
            max_poll_interval_ms=FOR_EVER_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
