"""Whether an item costs the same when many are stored.

Two databases: one holds about 10,000 items, the other twice as many, or `XGET_BENCH_ITEMS`. Both then get the same
further pages in turn, of another seed of the world, so that both have the same to insert, to merge and to replace, and
only what is stored beside it differs. The cost is processor time of this process and of the server, per item on the
pages, known or new; medians over the batches, the first one apart. Where the server's process cannot be seen, it is
elapsed time; so is the row below in any case. The last row is what the server alone makes of it: 800 ready items,
inserted into both in the same turns by a bare bulk write.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pymongo import InsertOne

from bench import pages
from bench.documents.servers import Server
from bench.documents.storing import BATCH, Bench
from bench.table import Row
from xget_contracts.events import PageCollected
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents import MongoDocuments

MANY = 20_000
TURNS, TURNS_SEED = 5, 8
BARE_ITEMS = 800
FILL_SECONDS = 40.0
"""A busy machine stores fewer than `MANY` in that; those of `XGET_BENCH_ITEMS` take what they take."""
TARGET = 1.05


@dataclass(slots=True)
class Fed:
    """A database, and what each batch cost there per item, in seconds."""

    server: MongoServer
    documents: MongoDocuments
    stored: int
    spent: list[float] = field(default_factory=list)
    elapsed: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    async def fill(self, bench: Bench, given: Iterator[PageCollected], items: int, until: float) -> None:
        """Store pages until so many items are there, or the time is over."""
        while self.stored < items and time.perf_counter() < until and (batch := list(islice(given, BATCH))):
            self.stored += sum(answer.new for answer in await bench.store(self.documents, batch))

    async def turn(self, bench: Bench, given: Sequence[PageCollected]) -> None:
        """Store a measured batch."""
        began, spent = time.perf_counter(), bench.server.spent()
        items = sum(len(answer.keys) for answer in await bench.store(self.documents, given))
        self.elapsed.append((time.perf_counter() - began) / items)
        self.spent.append((bench.server.spent() - spent) / items)

    async def bare_turn(self, bench: Bench, given: Sequence[dict[str, Any]], number: int) -> None:
        """Insert ready items under other names."""
        ready = [InsertOne({**one, "_id": f"{number}:{one['_id']}"}) for one in given]
        spent = bench.server.spent()
        await self.server.database["items"].bulk_write(ready, ordered=False)
        self.bare.append((bench.server.spent() - spent) / len(ready))


def wanted() -> int:
    """Items to end with."""
    return int(os.environ.get("XGET_BENCH_ITEMS", MANY))


def given(folder: Path) -> Iterator[PageCollected]:
    """Pages of as many posts as items are wanted."""
    return pages.read(pages.make(folder / "given.pages", wanted()))


def turns(folder: Path) -> Path:
    """The file of the pages that are measured."""
    return pages.make(folder / "turns.pages", (TURNS + 1) * BATCH * pages.POSTS_PER_PAGE, TURNS_SEED)


async def measure(
    bench: Bench,
    many: MongoServer,
    few: MongoServer,
    given: Iterator[PageCollected],
    turns: Sequence[PageCollected],
) -> list[Row]:
    """Both have the same documents at first; `given` goes into `many`."""
    stored = await many.database["items"].count_documents({})
    large, small = Fed(many, MongoDocuments(many), stored), Fed(few, MongoDocuments(few), stored)
    forever = "XGET_BENCH_ITEMS" in os.environ
    await large.fill(bench, given, wanted(), float("inf") if forever else time.perf_counter() + FILL_SECONDS)
    ready = await few.database["items"].find(limit=BARE_ITEMS).to_list()
    for number in range(TURNS + 1):
        batch = turns[number * BATCH :][:BATCH]
        for fed in (large, small) if number % 2 else (small, large):
            await fed.turn(bench, batch)
            await fed.bare_turn(bench, ready, number)
    return _rows(large, small, bench.server)


def _rows(large: Fed, small: Fed, server: Server) -> list[Row]:
    name = f"cost per item, {large.stored / 1000:.0f}k vs {small.stored / 1000:.0f}k stored ({server.name})"
    return [
        _row(name, large.spent, small.spent, server.unit, TARGET),
        _row("  elapsed", large.elapsed, small.elapsed),
        _row("  bare inserts", large.bare, small.bare, server.unit),
    ]


def _row(name: str, large: Sequence[float], small: Sequence[float], unit: str = "", target: float | None = None) -> Row:
    """The value is the median of the turns' ratios: both sides of a turn met the same machine."""
    late, early = statistics.median(large[1:]), statistics.median(small[1:])
    ratio = statistics.median(one / other for one, other in zip(large[1:], small[1:], strict=True))
    return Row(
        name=name,
        ours=f"{late * 1e6:.0f} µs {unit}".rstrip(),
        peer=f"{early * 1e6:.0f} µs",
        value=f"{ratio:.2f}",
        target="" if target is None else f"≤ {target}",
        ok=None if target is None else ratio <= target,
    )
