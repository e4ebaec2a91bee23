"""What an item costs when 100,000 are stored, or `XGET_BENCH_ITEMS`, and what memory a node takes by then.

Two running nodes (`xget up --open`): one is fed that many items, the other 10,000. Pages are published to a node's
event log from here, and it parses, stores and indexes them; collecting is left out, so that the node does nothing else.

- Cost per item: both nodes then get the same number of further pages in turn, several times, so that whatever else the
  machine does falls on both alike. The target is about processor time of the node's process per item, medians of all
  turns; the row below shows elapsed time, which other work on the machine disturbs more.
- Memory: resident memory of the whole node (gateway, services, workers), read after every 5,000 items. Flat means that
  the last half of the items adds at most 5 % to it; what it adds at all are SQLite's page caches, each up to 8 MB.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bench import pages
from bench.feeding import feed
from bench.table import Row, report
from xget_contracts.events import PageCollected
from xget_events.sqlite import SqliteEventLog
from xget_testing.node import Node, running_node

FEW, MANY = 10_000, int(os.environ.get("XGET_BENCH_ITEMS", "100000"))
STEP = 5_000
TURNS = 5
TURN_ITEMS = 2_000
COST_TARGET = 1.05
MEMORY_TARGET_MB = 300
RISE_TARGET = 5.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Fed:
    """A node, its log as seen from here, and what its turns cost in microseconds per item."""

    node: Node
    log: SqliteEventLog
    pages: Iterator[PageCollected]
    processor: list[float] = field(default_factory=list)
    elapsed: list[float] = field(default_factory=list)

    async def give(self, items: int) -> None:
        """Feed so many items and wait until they are searchable."""
        await feed(self.log, list(islice(self.pages, items // pages.POSTS_PER_PAGE)), look_every=0.05)

    async def turn(self) -> None:
        """Feed a measured portion."""
        began, spent = time.perf_counter(), self._processor_seconds()
        await self.give(TURN_ITEMS)
        self.elapsed.append((time.perf_counter() - began) / TURN_ITEMS * 1e6)
        self.processor.append((self._processor_seconds() - spent) / TURN_ITEMS * 1e6)

    def resident_mb(self) -> float:
        """Resident memory of the node's process."""
        line = next(line for line in self._proc("status").splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def _processor_seconds(self) -> float:
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _proc(self, name: str) -> str:
        assert self.node.process is not None
        return Path(f"/proc/{self.node.process.child.pid}/{name}").read_text()


def measure() -> list[Row]:
    """Cost per item, and memory."""
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as name:
        folder = Path(name)
        file = pages.make(folder / "growth.pages", MANY + TURNS * TURN_ITEMS)
        few, many = folder / "few", folder / "many"
        few.mkdir()
        many.mkdir()
        with running_node(many) as large, running_node(few) as small:
            return asyncio.run(_measure(file, large, small))


async def _measure(file: Path, large: Node, small: Node) -> list[Row]:
    async with _fed(large, file) as many, _fed(small, file) as few:
        await few.give(FEW)
        resident = []
        for _ in range(MANY // STEP):
            await many.give(STEP)
            resident.append(many.resident_mb())
        for _ in range(TURNS):
            await many.turn()
            await few.turn()
        _check_stored(large, MANY)
        _check_stored(small, FEW)
        return [*_costs(many, few), *_memory(resident)]


def _check_stored(node: Node, items: int) -> None:
    """A node that does not store what it gets would be cheap."""
    for path in ("/data", "/data/search"):
        found = node.api("GET", path, params={"size": 1})["total"]
        assert found >= items, f"{path} has {found} of at least {items} items"


@asynccontextmanager
async def _fed(node: Node, file: Path) -> AsyncIterator[Fed]:
    log = SqliteEventLog(node.home / "events.db")
    try:
        yield Fed(node, log, pages.read(file))
    finally:
        await log.close()


def _costs(many: Fed, few: Fed) -> list[Row]:
    name = f"cost per item, {MANY // 1000}k vs {FEW // 1000}k stored"
    ours, bare = statistics.median(many.processor), statistics.median(few.processor)
    slow, fast = statistics.median(many.elapsed), statistics.median(few.elapsed)
    return [
        Row(
            name=name,
            ours=f"{ours:.0f} µs processor",
            peer=f"{bare:.0f} µs",
            value=f"{ours / bare:.2f}",
            target=f"≤ {COST_TARGET:.2f}",
            ok=ours / bare <= COST_TARGET,
        ),
        Row(name="  elapsed", ours=f"{slow:.0f} µs", peer=f"{fast:.0f} µs", value=f"{slow / fast:.2f}"),
    ]


def _memory(resident: list[float]) -> list[Row]:
    half = resident[len(resident) // 2 - 1 :]
    per_step = statistics.linear_regression(range(len(half)), half).slope
    rise = (half[-1] / half[0] - 1) * 100
    last = resident[-1]
    return [
        Row(
            name=f"resident memory after {MANY // 1000}k items",
            ours=f"{resident[0]:.0f} MB after {STEP // 1000}k",
            value=f"{last:.0f} MB",
            target=f"≤ {MEMORY_TARGET_MB} MB",
            ok=last <= MEMORY_TARGET_MB,
        ),
        Row(
            name=f"  flat from {MANY // 2000}k on",
            ours=f"{half[0]:.0f} → {half[-1]:.0f} MB, {per_step * 10_000 / STEP:.1f} MB/10k",
            value=f"{rise:+.1f} %",
            target=f"≤ {RISE_TARGET:.0f} %",
            ok=rise <= RISE_TARGET,
        ),
    ]


if __name__ == "__main__":
    sys.exit(report(measure()))
