"""A LogHouse on a real Kafka, with names of its own, so that trials at once do not meet."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from xget_events.kafka import KafkaEventLog
from xget_events.log import EventLog
from xget_kernel.engines import EngineSettings
from xget_testing.contracts.event_log.house import PATIENCE

LEASE = 6.0


class KafkaHouse:
    """Topics and groups under a random prefix; `close` deletes the topics. Leases run out in real time."""

    def __init__(self, servers: str, home: Path) -> None:
        self.prefix = f"t{secrets.token_hex(4)}."
        self.settings = EngineSettings(home=home, kafka_bootstrap_servers=servers, kafka_prefix=self.prefix)
        self._logs: list[KafkaEventLog] = []

    async def open(self) -> KafkaEventLog:
        log = KafkaEventLog(self.settings, lease_seconds=LEASE)
        self._logs.append(log)
        return log

    async def crash(self, log: EventLog) -> None:
        assert isinstance(log, KafkaEventLog)
        await log.close(release=False)

    async def stall(self, log: EventLog) -> None:
        assert isinstance(log, KafkaEventLog)
        await log.stall()

    async def lapse(self) -> None:
        await asyncio.sleep(LEASE + 1.0)

    async def breathe(self) -> None:
        """Heartbeats go on by themselves."""

    async def age(self, log: EventLog, hours: float) -> None:
        pytest.skip("Kafka deletes by its own clock, whole segments at a time")

    async def close(self) -> None:
        for log in self._logs:
            await log.close()
        await delete_topics(self.settings.kafka_bootstrap_servers or "", self.prefix)


async def delete(admin: AIOKafkaAdminClient, name: str) -> None:
    """Delete a topic and return when the broker has done so: it does that after its answer."""
    await admin.delete_topics([name])
    async with asyncio.timeout(PATIENCE):
        while name in await admin.list_topics():  # noqa: ASYNC110 - the broker has no event for it
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)  # it forgets the name first, then takes no more records


async def delete_topics(servers: str, prefix: str) -> None:
    """Delete the topics under a prefix."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        names = [name for name in await admin.list_topics() if name.startswith(prefix)]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
