"""Any order of publishes, reads, commits, closes and deaths, on both logs, against a model of what must hold.

Nothing published is lost; what a commit has acknowledged is never given out again; the records of a key come in order
to whoever holds its partition.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from xget_events.errors import Fenced
from xget_events.kafka import KafkaEventLog
from xget_events.log import Consumer, EventLog, Record, TopicSpec
from xget_events.sqlite import SqliteEventLog
from xget_kernel.clock import ManualClock
from xget_kernel.messages import Message
from xget_testing.contracts.event_log.kafka import KafkaHouse

TOPIC = "xget.pages"
NAMES = st.sampled_from("ab")
PATIENCE = 120.0


class LogMachine(RuleBasedStateMachine):
    """Two named members, each in a process of its own. A subclass opens the logs."""

    poll_seconds: ClassVar[float] = 0.02

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.runner = asyncio.Runner()
        self.run = self.runner.run
        self.sent = 0
        self.handled: set[int] = set()
        self.committed: dict[int, int] = {}
        self.processes: dict[str, tuple[Any, Consumer]] = {}
        self.in_hand: dict[str, list[Record]] = {}

    def make(self) -> EventLog:
        """A log as a new process would have it."""
        raise NotImplementedError

    @initialize(partitions=st.integers(1, 3))
    def create(self, partitions: int) -> None:
        async def work() -> None:
            self.log = self.make()
            await self.log.create_topics([TopicSpec(TOPIC, partitions)])

        self.run(work())

    @rule(keys=st.lists(st.integers(0, 5), min_size=1, max_size=8))
    def publish(self, keys: list[int]) -> None:
        batch = [Message(TOPIC, f"k{key}", str(self.sent + n).encode()) for n, key in enumerate(keys)]
        self.run(self.log.publish(batch))
        self.sent += len(keys)

    @rule(name=NAMES)
    def poll(self, name: str) -> None:
        """Read on, as a new process if there is none."""
        self.run(self._poll(name, self.poll_seconds))

    @rule(name=NAMES)
    def commit(self, name: str) -> None:
        self.run(self._commit(name))

    @rule(name=NAMES)
    def close(self, name: str) -> None:
        self._end(name, release=True)

    @rule(name=NAMES)
    def crash(self, name: str) -> None:
        self._end(name, release=False)

    async def _poll(self, name: str, seconds: float) -> None:
        if name not in self.processes:
            log = self.make()
            self.processes[name] = (log, log.consumer("g", [TOPIC], member=name))
        records = await self.processes[name][1].poll(5, timeout=seconds)
        for record in records:
            assert record.offset >= self.committed.get(record.partition, 0)
        for key in {record.key for record in records}:
            numbers = [int(record.value) for record in records if record.key == key]
            assert numbers == sorted(numbers)
        self.handled |= {int(record.value) for record in records}
        self.in_hand.setdefault(name, []).extend(records)

    async def _commit(self, name: str) -> None:
        records = self.in_hand.pop(name, [])
        if name not in self.processes or not records:
            return
        try:
            await self.processes[name][1].commit(records)
        except Fenced:
            return
        for record in records:
            self.committed[record.partition] = max(self.committed.get(record.partition, 0), record.offset + 1)

    def _end(self, name: str, *, release: bool) -> None:
        self.in_hand.pop(name, None)
        if name in self.processes:
            log, _ = self.processes.pop(name)
            self.run(log.close(release=release))

    async def _finish(self) -> None:
        """Both members work on until the group is done."""
        async with asyncio.timeout(PATIENCE):
            while self.sent and (len(self.handled) < self.sent or (await self.log.lag("g")).get(TOPIC) != 0):
                for name in "ab":
                    await self._poll(name, 0.2)
                    await self._commit(name)
        assert self.handled == set(range(self.sent))

    def teardown(self) -> None:
        try:
            if hasattr(self, "log"):
                self.run(self._finish())
        finally:
            for name in list(self.processes):
                self._end(name, release=True)
            self.run(self._away())
            self.runner.close()
            shutil.rmtree(self.folder)

    async def _away(self) -> None:
        if hasattr(self, "log"):
            await self.log.close()


class SqliteMachine(LogMachine):
    """Leases are by a clock that only the machine moves."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()

    def make(self) -> EventLog:
        return SqliteEventLog(self.folder / "events.db", clock=self.clock, lease_seconds=30.0, idle_poll=0.01)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)


@pytest.mark.slow
def test_the_log_on_sqlite() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis leaves it untyped
        SqliteMachine, settings=settings(max_examples=12, stateful_step_count=25, deadline=None)
    )


@pytest.mark.connected("kafka")
@pytest.mark.slow
def test_the_log_on_kafka(kafka_servers: str) -> None:
    class KafkaMachine(LogMachine):
        """A death is taken over by name, so that no session has to run out."""

        poll_seconds = 0.3

        def __init__(self) -> None:
            super().__init__()
            self.house = KafkaHouse(kafka_servers, self.folder)

        def make(self) -> EventLog:
            return KafkaEventLog(self.house.settings)

        async def _away(self) -> None:
            await super()._away()
            await self.house.close()

    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # as above
        KafkaMachine,
        settings=settings(
            max_examples=10, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
