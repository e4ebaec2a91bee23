"""Whether an item costs the same when many are stored.

Two databases: one holds about 10,000 items, the other 20,000, or `XGET_BENCH_ITEMS`; those beyond 10,000 are copies
(`filling.py`). Both then get the same further pages in turn, of another seed of the world, so that both have the same
to insert, to merge and to replace, and only what is stored beside it differs.

- The cost is processor time of this process and of the server, per item on the pages, known or new; medians over the
  batches, the first one apart. Where the server's process cannot be seen, all but this process' own is elapsed time.
- `bare`: after each batch the same commands once more as the plainest of their kinds (`recording.py`), into the same
  database: looks by `_id` for as many ids, inserts of as many documents of the same bytes, replaced ones by `_id`.
- The target: what ours costs with many, by what it would if the server's part of it had grown as bare's did. A server
  whose trees cost the same at any size leaves just the growth of ours.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import pages
from bench.documents.filling import fill
from bench.documents.recording import Recorder, Replay
from bench.documents.servers import Spent
from bench.documents.storing import BATCH, Bench
from bench.table import Row
from xget_contracts.events import PageCollected
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents import MongoDocuments

FEW, MANY = 10_000, 20_000
TURNS, TURNS_SEED = 6, 8
FILL_SECONDS = 60.0
"""A busy machine copies fewer than `MANY` in that; those of `XGET_BENCH_ITEMS` take what they take."""
TARGET = 1.05


@dataclass(frozen=True, slots=True)
class Turn:
    """What a batch cost, and the same commands bare; per item."""

    ours: Spent
    bare: Spent
    elapsed: float


@dataclass(slots=True)
class Fed:
    """A database, and its turns."""

    server: MongoServer
    documents: MongoDocuments
    turns: list[Turn] = field(default_factory=list)

    async def turn(self, bench: Bench, recorder: Recorder, given: Sequence[PageCollected]) -> None:
        """Store a measured batch, then send its commands bare."""
        with recorder.recording() as sent:
            began, spent = time.perf_counter(), bench.server.spent()
            answers = await bench.store(self.documents, given)
            elapsed, ours = time.perf_counter() - began, bench.server.spent().since(spent)
        items = sum(len(answer.keys) for answer in answers)
        replay = Replay(sent, f"bare{len(self.turns)}:")
        spent = bench.server.spent()
        await replay.run(self.server)
        bare = bench.server.spent().since(spent)
        self.turns.append(Turn(_per(items, ours), _per(items, bare), elapsed / items))


def _per(items: int, spent: Spent) -> Spent:
    return Spent(*(seconds / items for seconds in spent))


def given(folder: Path) -> Iterator[PageCollected]:
    """Pages for what is stored by ours."""
    return pages.read(pages.make(folder / "given.pages", FEW))


def turns(folder: Path) -> Path:
    """The file of the pages that are measured."""
    return pages.make(folder / "turns.pages", (TURNS + 1) * BATCH * pages.POSTS_PER_PAGE, TURNS_SEED)


async def measure(
    bench: Bench, recorder: Recorder, many: MongoServer, few: MongoServer, turns: Sequence[PageCollected]
) -> list[Row]:
    """Both have the same documents at first."""
    wanted = int(os.environ.get("XGET_BENCH_ITEMS", MANY))
    until = float("inf") if "XGET_BENCH_ITEMS" in os.environ else time.perf_counter() + FILL_SECONDS
    early = await few.database["items"].count_documents({})
    late = await fill(many, wanted, until)
    large, small = Fed(many, MongoDocuments(many)), Fed(few, MongoDocuments(few))
    for number in range(TURNS + 1):
        batch = turns[number * BATCH :][:BATCH]
        for fed in (large, small) if number % 2 else (small, large):
            await fed.turn(bench, recorder, batch)
    name = f"cost per item, {late / 1000:.0f}k vs {early / 1000:.0f}k stored ({bench.server.name})"
    return _rows(name, large.turns[1:], small.turns[1:], bench.server.unit)


def _rows(name: str, large: Sequence[Turn], small: Sequence[Turn], unit: str) -> list[Row]:
    pairs = list(zip(large, small, strict=True))
    growth = statistics.median(_beyond_the_server(late, early) for late, early in pairs)
    rows = [
        _row(name, [(sum(late.ours), sum(early.ours)) for late, early in pairs], unit),
        _row("  the server's part", [(late.ours.server, early.ours.server) for late, early in pairs], unit),
        _row(
            "  the same commands, bare by _id", [(late.bare.server, early.bare.server) for late, early in pairs], unit
        ),
        _row("  elapsed", [(late.elapsed, early.elapsed) for late, early in pairs]),
    ]
    beyond = Row(
        name="  beyond the server's own growth",
        ours="",
        value=f"{growth:.2f}",
        target=f"≤ {TARGET}",
        ok=growth <= TARGET,
    )
    return [*rows, beyond]


def _beyond_the_server(late: Turn, early: Turn) -> float:
    return sum(late.ours) / (early.ours.own + early.ours.server * late.bare.server / early.bare.server)


def _row(name: str, pairs: Sequence[tuple[float, float]], unit: str = "") -> Row:
    """The value is the median of the turns' ratios: both sides of a turn met the same machine."""
    late, early = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    return Row(
        name=name,
        ours=f"{late * 1e6:.0f} µs {unit}".rstrip(),
        peer=f"{early * 1e6:.0f} µs",
        value=f"{statistics.median(late / early for late, early in pairs):.2f}",
    )
