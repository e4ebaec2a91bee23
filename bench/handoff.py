"""A task handed to a worker, by XGet and by arq on Redis at its defaults, taking turns on one machine.

Ours is the whole of `starts`: from sending `POST /tasks` to a running node, through gateway, checks and two durable
commits, to the claim that everybody can see. arq's is from `enqueue_job` to the first line of the job, in a worker
process of its own, with nothing else: no HTTP, no checks, no disk. Its worker looks into Redis every 0.5 s, by default;
ours is woken. A random pause before each hand-off keeps arq's from falling into step with its own looks.

arq lives in an environment of its own in the user's cache, made on first use. Redis is the one of `XGET_ENGINES`, or
one started for this measure.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from bench.starts import TARGET_MS, WARM_TASKS, one, p99
from bench.table import Row, report
from xget_kernel.ids import new_id
from xget_testing.engines import OwnEngines
from xget_testing.node import running_node, running_sandbox

HANDOFFS: Final = 100
LONGEST_PAUSE: Final = 0.5
ARQ: Final = "arq==0.28.0"
WORKER: Final = """
import sys, time
from arq.connections import RedisSettings
from arq.worker import run_worker

async def started(ctx):
    return time.monotonic()

class Settings:
    functions = [started]
    redis_settings = RedisSettings.from_dsn(sys.argv[1])
    queue_name = sys.argv[2]
    keep_result = 60

run_worker(Settings)
"""
CLIENT: Final = """
import asyncio, sys, time
from arq import create_pool
from arq.connections import RedisSettings

async def main():
    pool = await create_pool(RedisSettings.from_dsn(sys.argv[1]), default_queue_name=sys.argv[2])
    for _ in sys.stdin:
        began = time.monotonic()
        job = await pool.enqueue_job("started")
        print((await job.result(timeout=30, poll_delay=0.005) - began) * 1000, flush=True)
    await pool.aclose()

asyncio.run(main())
"""


def measure() -> list[Row]:
    """One row: the 99th percentiles of both."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xget-bench-")))
        peer = stack.enter_context(_arq(_redis(stack)))
        sandbox = stack.enter_context(
            running_sandbox(folder / "sandbox", "--posts", "500", "--limit-scale", "1000"),
        )
        node = stack.enter_context(running_node(folder, sandbox))
        for _ in range(WARM_TASKS):
            one(node)
            peer.hand_over()
        ours, theirs = [], []
        for _ in range(HANDOFFS):
            time.sleep(random.uniform(0, LONGEST_PAUSE))
            ours.append(one(node)[0])
            time.sleep(random.uniform(0, LONGEST_PAUSE))
            theirs.append(peer.hand_over())
    return [_row(sorted(ours), sorted(theirs))]


class _Peer:
    """arq's client process: a line in hands a job over, a line out gives the milliseconds until it began."""

    def __init__(self, asked: IO[str], told: IO[str]) -> None:
        self._asked = asked
        self._told = told

    def hand_over(self) -> float:
        self._asked.write("\n")
        self._asked.flush()
        return float(self._told.readline())


@contextmanager
def _arq(url: str) -> Iterator[_Peer]:
    python = str(_environment() / "bin" / "python")
    queue = f"arq:bench-{new_id()}"
    worker = subprocess.Popen([python, "-c", WORKER, url, queue], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [python, "-c", CLIENT, url, queue]
    client = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert client.stdin
        assert client.stdout
        yield _Peer(client.stdin, client.stdout)
    finally:
        client.communicate()
        worker.terminate()
        worker.wait()


def _environment() -> Path:
    """The folder of arq's environment, made when it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xget"
    folder = cache / f"peer-{ARQ.replace('==', '-')}-py{sys.version_info[0]}{sys.version_info[1]}"
    done = folder / "installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, ARQ], check=True)
        done.touch()
    return folder


def _redis(stack: ExitStack) -> str:
    file = os.environ.get("XGET_ENGINES")
    if file:
        return str(json.loads(Path(file).read_text("utf-8"))["redis"])
    return stack.enter_context(OwnEngines("bench")).start("redis")["redis"]


def _row(ours: list[float], theirs: list[float]) -> Row:
    mine, peers = p99(ours), p99(theirs)
    return Row(
        name=f"hand-off to a worker, p99 of {HANDOFFS}",
        ours=f"{mine:.0f} ms, median {statistics.median(ours):.0f} ms",
        peer=f"{peers:.0f} ms, median {statistics.median(theirs):.0f} ms (arq)",
        value=f"{mine:.0f} ms, {mine / peers:.2f}x",
        target=f"≤ {TARGET_MS:.0f} ms, < 1x",
        ok=mine <= TARGET_MS and mine < peers,
    )


if __name__ == "__main__":
    sys.exit(report(measure()))
