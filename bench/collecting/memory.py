"""Resident memory of a worker that collects very much."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench import pages
from bench.collecting.platforms import BODIES
from bench.collecting.scraper import scraper
from bench.table import Row

POSTS: Final = int(os.environ.get("XGET_BENCH_POSTS", "100000"))
DIFFERENT: Final = 8
"""Bodies of pages that take turns."""
TARGET_MB: Final = 250
RISE_TARGET: Final = 5.0
"""Percent that the last 80 % of the posts may add, by the line through the readings: what leaks adds more."""
Reading = tuple[int, float]


def measure() -> list[Row]:
    """Memory, its slope, and how fast it went."""
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as name:
        home = Path(name)
        bodies = [body for body, _ in pages.bodies(DIFFERENT * pages.POSTS_PER_PAGE)]
        (home / BODIES).write_bytes(msgspec.msgpack.encode(bodies))
        return _rows(*asyncio.run(_measure(home)))


async def _measure(home: Path) -> tuple[list[Reading], float]:
    async with scraper(home) as found, _worker(home) as readings:
        began = time.perf_counter()
        status = await found.ended(await found.search(query="bench"))
        took = time.perf_counter() - began
    assert status["status"] == "COMPLETED", status
    assert found.matches == POSTS, f"{found.matches} of {POSTS} posts were collected"
    return readings, took


@asynccontextmanager
async def _worker(home: Path) -> AsyncIterator[list[Reading]]:
    """A worker in another process; its readings are all there at the end."""
    command = [sys.executable, "-m", "bench.collecting.worker", str(home), str(POSTS)]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    readings: list[Reading] = []
    reading = asyncio.create_task(_read(child, readings))
    try:
        yield readings
    finally:
        child.terminate()
        await asyncio.gather(reading, child.wait())


async def _read(child: asyncio.subprocess.Process, readings: list[Reading]) -> None:
    assert child.stdout is not None
    async for line in child.stdout:
        posts, mb = line.split()
        readings.append((int(posts), float(mb)))


def _rows(readings: list[Reading], took: float) -> list[Row]:
    settled = [one for one in readings if one[0] >= POSTS * 0.2]
    line = statistics.linear_regression(*zip(*settled, strict=True))
    rise = line.slope * (settled[-1][0] - settled[0][0]) / settled[0][1] * 100
    most = max(mb for _, mb in readings)
    return [
        Row(
            name=f"a worker collecting {POSTS // 1000:,}k posts, memory",
            ours=f"{readings[0][1]:.0f} MB at first, {readings[-1][1]:.0f} MB at the end",
            value=f"{most:.0f} MB",
            target=f"≤ {TARGET_MB} MB",
            ok=most <= TARGET_MB,
        ),
        Row(
            name="  its slope over the last 80 %",
            ours=f"{line.slope * 100_000:+.2f} MB/100k, {POSTS / took:,.0f} posts/s",
            value=f"{rise:+.1f} %",
            target=f"≤ {RISE_TARGET:.0f} %",
            ok=rise <= RISE_TARGET,
        ),
    ]
