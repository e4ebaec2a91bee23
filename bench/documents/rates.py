"""Items per second: ours, bare, and the loop, batch by batch in turn, so that all meet the same machine."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.documents import loop
from bench.documents.copying import Copy, Operation
from bench.documents.servers import Server
from bench.documents.storing import BATCH, Bench
from bench.table import Row
from xget_contracts.events import PageCollected
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents import MongoDocuments

BATCHES, LOOP_PAGES = 7, 3
SECONDS = 60.0
"""After these no new batch begins: a busy machine gets fewer of them."""
BARE_TARGET, LOOP_TARGET = 0.7, 3.5


@dataclass(slots=True)
class Rates:
    """New items per second of one batch."""

    ours: float
    bare: float
    loop: float
    items: float


async def measure(
    bench: Bench, ours: MongoServer, bare: MongoServer, other: MongoServer, given: Iterator[PageCollected]
) -> list[Row]:
    """`other` is the loop's; `bare` has the documents of `ours` at the end."""
    documents, copy = MongoDocuments(ours), Copy(ours)
    found: list[Rates] = []
    until = time.perf_counter() + SECONDS
    while len(found) < BATCHES and (len(found) < 2 or time.perf_counter() < until):
        batch = list(islice(given, BATCH))
        took, answers = await _timed(bench.store(documents, batch))
        new = sum(answer.new for answer in answers)
        changes = await copy.changes()
        if not found:
            await _write(other, changes)  # the loop, too, meets authors and items again
        written, _ = await _timed(_write_at_once(bare, changes) if at_once(len(found)) else _write(bare, changes))
        looped, count = await _timed(loop.store(other, batch[-LOOP_PAGES:] if found else [], bench.parser))
        plain, alone = await _timed(loop.store_items(other, batch[-LOOP_PAGES:], bench.parser))
        found.append(Rates(new / took, new / written, count / looped, alone / plain))
    await copy.check(bare)
    return _rows(found, bench.server)


async def _write(server: MongoServer, changes: dict[str, list[Operation]]) -> None:
    for name, operations in changes.items():
        await server.database[name].bulk_write(operations, ordered=False)


async def _write_at_once(server: MongoServer, changes: dict[str, list[Operation]]) -> None:
    async with asyncio.TaskGroup() as group:
        for name, operations in changes.items():
            group.create_task(server.database[name].bulk_write(operations, ordered=False))


async def _timed(work: Awaitable[Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = await work
    return time.perf_counter() - began, answer


def at_once(number: int) -> bool:
    """Every other batch's bare writes go out together."""
    return number % 2 == 0


def _rows(found: list[Rates], server: Server) -> list[Row]:
    """All but the first."""
    alone, together = found[1::2], found[2::2]
    rows = [_row(f"raw page → stored on MongoDB ({server.name})", "bare", "bare bulk_write", alone, BARE_TARGET)]
    if together:
        rows.append(_row("  bare, all collections at once", "bare", "bare bulk_write", together))
    rows.append(_row("  vs loop", "loop", "find_one, insert_one", found[1:], LOOP_TARGET))
    rows.append(_row("  vs loop of the items alone", "items", "find_one, insert_one", found[1:]))
    return rows


def _row(name: str, peer: str, words: str, found: list[Rates], target: float | None = None) -> Row:
    ours, other = (statistics.median(getattr(one, field) for one in found) for field in ("ours", peer))
    ratio = statistics.median(one.ours / getattr(one, peer) for one in found)
    return Row(
        name=name,
        ours=f"{ours:.0f} items/s",
        peer=f"{other:.0f} items/s ({words})",
        value=f"{ratio:.2f}x",
        target="" if target is None else f"≥ {target}x",
        ok=None if target is None else ratio >= target,
    )
