"""SQLite event logs for tests, with a clock of their own, and Kafka ones in real time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from xget_events.log import EventLog
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_testing.contracts.event_log.kafka import KafkaHouse

LEASE = 3000.0


class SqliteHouse:
    """One file; every handle stands for a process. Leases are long in real time and run out by the manual clock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock()
        self._logs: list[SqliteEventLog] = []

    async def open(self) -> SqliteEventLog:
        log = SqliteEventLog(self.path, clock=self.clock, lease_seconds=LEASE, idle_poll=0.02)
        self._logs.append(log)
        return log

    async def crash(self, log: EventLog) -> None:
        assert isinstance(log, SqliteEventLog)
        await log.close(release=False)

    async def stall(self, log: EventLog) -> None:
        """Nothing to do: between polls a handle renews every 1000 real seconds, longer than a test takes."""

    async def lapse(self) -> None:
        self.clock.advance(LEASE + 1)

    async def breathe(self) -> None:
        self.clock.advance(LEASE / 3)

    async def age(self, log: EventLog, hours: float) -> None:
        assert isinstance(log, SqliteEventLog)
        self.clock.advance(hours * 3600)
        await log.expire()

    async def close(self) -> None:
        for log in self._logs:
            await log.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[SqliteHouse]:
    house = SqliteHouse(tmp_path / "events.db")
    yield house
    await house.close()


@pytest.fixture
async def event_log(house: SqliteHouse) -> SqliteEventLog:
    return await house.open()


@pytest.fixture
async def kafka_house(kafka_servers: str, tmp_path: Path) -> AsyncIterator[KafkaHouse]:
    house = KafkaHouse(kafka_servers, tmp_path)
    yield house
    await house.close()
