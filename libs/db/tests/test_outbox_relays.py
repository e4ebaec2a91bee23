"""Several relays on one PostgreSQL, killed at any moment: nothing is lost, and no key is reordered."""

import asyncio
import itertools
import json
import random
import signal
import subprocess
import sys

import pytest

from xget_db.outbox import Outbox, OutboxRelay
from xget_kernel.clock import SystemClock

RELAYS = """
import asyncio, json, os, sys
from sqlalchemy import MetaData
from xget_db.engine import Database
from xget_db.outbox import OutboxRelay, outbox_table
from xget_kernel.clock import SystemClock

class File:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def publish(self, messages):
        for message in messages:
            await asyncio.sleep(0.0005)
            os.write(self.file, json.dumps([message.key, json.loads(message.value)["number"]]).encode() + b"\\n")

async def main():
    table, log, stop = outbox_table(MetaData()), File(sys.argv[2]), asyncio.Event()
    databases = [Database(sys.argv[1]) for _ in range(2)]
    await asyncio.gather(*(OutboxRelay(db, table, log, SystemClock()).run(stop) for db in databases))

asyncio.run(main())
"""
KEYS = 12
EACH = 60
KILLS = 6


def numbers_by_key(path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        key, number = json.loads(line)
        found.setdefault(key, []).append(number)
    return found


@pytest.mark.connected("postgres")
@pytest.mark.slow
async def test_four_relays_in_two_processes_lose_nothing_and_keep_the_order_of_each_key(server, sample, tmp_path):
    path = tmp_path / "log.jsonl"
    dice = random.Random(7)

    def start():
        return subprocess.Popen([sys.executable, "-c", RELAYS, server.url, str(path)])

    processes = [start(), start()]

    async def emit(key):
        for number in range(EACH):
            async with server.transaction() as session:
                Outbox(session).emit("t", key, sample.Made(number))
                await asyncio.sleep(dice.random() * 0.01)

    writing = asyncio.gather(*(emit(f"k{number % KEYS}") for number in range(KEYS)))
    for _ in range(KILLS):
        await asyncio.sleep(0.3 + dice.random())
        victim = processes.pop(0)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        processes.append(start())
    await writing
    relay = OutboxRelay(server, sample.outbox, None, SystemClock())
    async with asyncio.timeout(180):
        while await relay.waiting():  # noqa: ASYNC110 - the relays are other processes
            await asyncio.sleep(0.1)
    for process in processes:
        process.kill()
        process.wait()
    found = numbers_by_key(path)
    assert set(found) == {f"k{number}" for number in range(KEYS)}
    for key, numbers in found.items():
        first_times = list(dict.fromkeys(numbers))
        assert first_times == list(range(EACH)), key


@pytest.mark.connected("postgres")
async def test_writers_of_one_key_at_once_are_sent_in_the_order_of_their_commits(server, sample):
    sent, begun, ended, steps = [], {}, {}, itertools.count()
    numbers = iter(range(60))

    class Log:
        async def publish(self, messages):
            sent.extend(json.loads(message.value)["number"] for message in messages)

    async def emit():
        for number in numbers:
            async with server.transaction() as session:
                Outbox(session).emit("t", "k", sample.Made(number))
                await asyncio.sleep(random.random() * 0.02)
                begun[number] = next(steps)  # its commit comes now
            ended[number] = next(steps)

    await asyncio.gather(*(emit() for _ in range(6)))
    await OutboxRelay(server, sample.outbox, Log(), SystemClock()).drain()
    assert sorted(sent) == list(range(60))
    turned = [(early, late) for late, early in itertools.combinations(sent, 2) if ended[early] < begun[late]]
    assert turned == [], "the order of the rows follows the commits, as far as it can be seen from outside"


@pytest.mark.connected("postgres")
async def test_keys_of_another_relay_are_left_to_it(server, sample):
    going, go_on = asyncio.Event(), asyncio.Event()
    sent = []

    class Slow:
        async def publish(self, messages):
            sent.extend(("slow", message.key) for message in messages)
            going.set()
            await go_on.wait()

    class Quick:
        async def publish(self, messages):
            sent.extend(("quick", message.key) for message in messages)

    async def emit(key):
        async with server.transaction() as session:
            Outbox(session).emit("t", key, sample.Made(1))

    await emit("a")
    slow = asyncio.create_task(OutboxRelay(server, sample.outbox, Slow(), SystemClock()).drain())
    await going.wait()
    await emit("a")
    await emit("b")
    assert await OutboxRelay(server, sample.outbox, Quick(), SystemClock()).drain() == 1
    assert sent == [("slow", "a"), ("quick", "b")]
    go_on.set()
    assert await slow == 2
    assert sent[2:] == [("slow", "a")]
