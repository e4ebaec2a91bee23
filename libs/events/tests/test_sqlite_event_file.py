"""The file of the SQLite event log: versions, foreign files, full disks, several processes."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from xget_events.errors import LogClosed
from xget_events.log import TopicSpec
from xget_events.sqlite import SqliteEventLog
from xget_events.sqlite.groups import Seat
from xget_events.sqlite.membership import micros
from xget_kernel.clock import Clock, ManualClock
from xget_kernel.errors import Full, StartupError, Unavailable
from xget_kernel.messages import Message
from xget_testing.contracts.event_log import drain, messages

TOPIC = "xget.pages"


async def made(path: Path, lease: float = 600.0, clock: Clock | None = None) -> SqliteEventLog:
    log = SqliteEventLog(path, lease_seconds=lease, clock=clock)
    await log.create_topics([TopicSpec(TOPIC, 3)])
    return log


def test_making_a_log_touches_nothing(tmp_path: Path) -> None:
    SqliteEventLog(tmp_path / "home" / "events.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    log = SqliteEventLog(path)
    with pytest.raises(StartupError, match="newer release"):
        await log.create_topics([])
    await log.close()


async def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"This is a shopping list. " * 400)
    log = SqliteEventLog(path)
    with pytest.raises(StartupError, match="not an event log"):
        await log.create_topics([])
    await log.close()


async def test_a_full_disk_is_said_so_and_loses_nothing(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db")
    await log.publish(messages(TOPIC, "abc"))
    await log._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=30").fetchall())
    with pytest.raises(Full, match="free some space"):
        await log.publish([Message(TOPIC, "a", bytes(1 << 20)), Message(TOPIC, "b", b"7")])
    await log._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=100000").fetchall())
    await log.publish([Message(TOPIC, "b", b"3")])
    async with log.consumer("g", [TOPIC]) as consumer:
        assert sorted(int(record.value) for record in await drain(consumer, 4)) == [0, 1, 2, 3]
    await log.close()


async def test_a_busy_file_is_said_to_be_unavailable(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db")
    await log._writer.run(lambda connection: connection.execute("PRAGMA busy_timeout=50").fetchall())
    other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy"):
        await log.publish(messages(TOPIC, "a"))
    other.execute("ROLLBACK")
    other.close()
    await log.publish(messages(TOPIC, "a"))
    await log.close()


async def test_publishes_at_once_share_transactions_and_keep_their_order(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db")
    await asyncio.gather(*(log.publish([Message(TOPIC, "k", str(n).encode())]) for n in range(500)))
    async with log.consumer("g", [TOPIC]) as consumer:
        assert [int(record.value) for record in await drain(consumer, 500)] == list(range(500))
    await log.close()


async def test_a_closed_log_says_so(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db")
    consumer = log.consumer("g", [TOPIC])
    await consumer.poll(timeout=0)
    await log.close()
    await log.close()
    with pytest.raises(LogClosed):
        await log.publish(messages(TOPIC, "a"))
    with pytest.raises(LogClosed):
        await consumer.poll()


async def test_leases_are_renewed_while_a_handler_works(tmp_path: Path) -> None:
    """They are judged by a clock that goes on only after a renewal; renewals come by themselves, in real time."""
    lease, clock, path = 0.3, ManualClock(), tmp_path / "events.db"
    log, other = await made(path, lease, clock), SqliteEventLog(path, lease_seconds=lease, clock=clock)
    await log.publish(messages(TOPIC, "abc"))
    async with log.consumer("g", [TOPIC]) as consumer, other.consumer("g", [TOPIC]) as waiting:
        records = await drain(consumer, 3, commit=False)
        for _ in range(6):
            clock.advance(lease * 0.9)
            await renewed(path, [consumer.seat, waiting.seat], micros(clock.now()) + int(lease * 1_000_000))
        assert await waiting.poll(timeout=0.05) == []
        await consumer.commit(records)
    await other.close()
    await log.close()


async def renewed(path: Path, seats: list[Seat], until: int) -> None:
    """Wait until the leases of all seats last until then."""
    with closing(sqlite3.connect(path)) as connection:
        async with asyncio.timeout(60):
            while True:
                leases = dict(connection.execute("SELECT instance, lease_until FROM members").fetchall())
                if all(leases[seat.instance] >= until for seat in seats):
                    return
                await asyncio.sleep(0.01)


async def test_a_forgotten_group_starts_anew(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db")
    await log.publish(messages(TOPIC, "abc"))
    async with log.consumer("g", [TOPIC]) as consumer:
        await drain(consumer, 3)
    await log.forget("g")
    assert await log.lag("g") == {}
    async with log.consumer("g", [TOPIC]) as consumer:
        await drain(consumer, 3)
    await log.close()


READER = """
import asyncio, sys
from pathlib import Path
from xget_events.sqlite import SqliteEventLog

async def main():
    log = SqliteEventLog(Path(sys.argv[1]), lease_seconds=1.0)
    async with log.consumer("g", ["xget.pages"]) as consumer:
        seen = 0
        while True:
            records = await consumer.poll(20)
            seen += len(records)
            if seen <= 60:
                await consumer.commit(records)
            print(seen, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_killed_process_loses_its_partitions_and_nothing_else(tmp_path: Path) -> None:
    log = await made(tmp_path / "events.db", lease=1.0)
    await log.publish([Message(TOPIC, f"key-{n}", str(n).encode()) for n in range(200)])
    command = [sys.executable, "-c", READER, str(tmp_path / "events.db")]
    victim = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert victim.stdout is not None
    try:
        while int(await victim.stdout.readline()) < 200:
            pass
    finally:
        victim.kill()
        await victim.communicate()
    left = (await log.lag("g"))[TOPIC]
    assert 0 < 200 - left <= 60
    began = time.monotonic()
    async with log.consumer("g", [TOPIC]) as successor:
        await drain(successor, left)
    assert time.monotonic() - began < 30.0
    assert await log.lag("g") == {TOPIC: 0}
    await log.close()
