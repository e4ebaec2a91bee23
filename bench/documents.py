"""Raw page → stored on MongoDB, beside a bare unordered `bulk_write` and beside the loop that one would write first.

The same pages into databases with the same collections, indexes, validators and write concern (majority, on disk), in
batches as large as storage's worker takes, batch by batch in turn; medians over the batches, the first one apart. Rates
are items per second.

- `ours`: parse the pages, then `MongoDocuments.store_pages` as storage's worker calls it: what is known is loaded,
  merged, counted, written (items, sightings, authors, pages).
- `bare`: the documents that each batch of ours left (items, sightings, authors, pages), each inserted once by unordered
  bulk writes from ready dicts: the least that anybody could do who parses, reads, merges and counts nothing, and never
  meets an author or an item again.
- `loop`: parse a page; for each item validate with pydantic, `find_one`, then `insert_one` or `update_one`; no more.
- Cost per item: the row of new pages goes on into the same database; the last 4,000 items against those around 10,000,
  as far as the row comes in the time that it has.

Needs a server: `XGET_ENGINES` names the file of URLs (without it there are no rows). The rows say which server
answered: figures of the stand-in are no figures of MongoDB.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from pymongo import InsertOne, MongoClient

from bench import pages
from bench.plain import Post
from bench.table import Row, report
from xget_contracts.events import PageCollected
from xget_kernel import collector
from xget_kernel.clock import SystemClock
from xget_kernel.secrets import Secret
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_sources.registry import load_sources
from xget_storage.adapters.mongo import MongoServer, opened_mongo
from xget_storage.adapters.mongo.layout import apply
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.adapters.mongo_documents.schema import ALL
from xget_storage.settings import Settings

BATCH = int(Settings.model_fields["storage_batch_messages"].default)
"""Pages that are stored together: as the worker does."""
BATCHES, LOOP_PAGES = 6, 8
FEW, MANY, LAST = 10_000, 20_000, 2_000
RATE_SECONDS, GROWTH_SECONDS = 30.0, 40.0
"""After these no new batch begins: a busy machine gets fewer of them."""
BARE_TARGET, LOOP_TARGET, GROWTH_TARGET = 0.7, 3.5, 1.05
COLLECTIONS = ("items", "sightings", "authors", "pages")


def measure() -> list[Row]:
    """Rates, and how the cost of an item grows."""
    file = os.environ.get("XGET_ENGINES")
    url = json.loads(Path(file).read_text("utf-8")).get("mongodb") if file else None
    if url is None:
        return []
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder:
        return asyncio.run(_measure(Path(folder), url))


async def _measure(folder: Path, url: str) -> list[Row]:
    given = list(pages.read(pages.make(folder / "documents.pages", MANY)))
    parser = PageParser(load_sources(), LanguageRules(FastLangdetect()))
    parser.parse(given[0])
    collector.calm()
    async with _database(url, folder) as server:
        engine = await _engine(server)
        async with _database(url, folder) as other:
            rates = await _in_turn(server, other, given, parser)
            loop = await _loop(other, given[:LOOP_PAGES], parser)
        growth = _growth_row(await _growth(server, given[len(rates) * BATCH :], parser), engine)
    return [*_rate_rows(rates, loop, engine), growth]


def _rate_rows(rates: Sequence[tuple[float, float]], loop: float, engine: str) -> list[Row]:
    ours, bare = (statistics.median(one) for one in zip(*rates[1:], strict=True))
    to_bare, to_loop = statistics.median(one[0] / one[1] for one in rates[1:]), ours / loop
    name = "raw page → stored on MongoDB"
    return [
        Row(name=f"{name} ({engine})", ours=f"{ours:.0f} items/s", peer=f"{bare:.0f} items/s (bare bulk_write)",
            value=f"{to_bare:.2f}x", target=f"≥ {BARE_TARGET}x", ok=to_bare >= BARE_TARGET),
        Row(name=f"{name}: vs loop", ours=f"{ours:.0f} items/s", peer=f"{loop:.0f} items/s (find_one, insert_one)",
            value=f"{to_loop:.1f}x", target=f"≥ {LOOP_TARGET}x", ok=to_loop >= LOOP_TARGET),
    ]  # fmt: skip


def _growth_row(costs: Sequence[tuple[int, float]], engine: str) -> Row:
    """`costs`: items stored by then, seconds per item, of each batch."""
    reached = costs[-1][0] if costs else 0
    name = f"cost per item, {reached // 1000}k vs {FEW // 1000}k stored ({engine})"
    if reached < FEW + 2 * LAST:
        return Row(name=name, ours="no answer", value=f"only {reached} in {GROWTH_SECONDS:.0f} s")
    few = statistics.median(cost for count, cost in costs if FEW - LAST <= count <= FEW + LAST)
    many = statistics.median(cost for count, cost in costs if count >= reached - 2 * LAST)
    return Row(name=name, ours=f"{many * 1e6:.0f} µs", peer=f"{few * 1e6:.0f} µs", value=f"{many / few:.2f}",
               target=f"≤ {GROWTH_TARGET}", ok=many / few <= GROWTH_TARGET)  # fmt: skip


@asynccontextmanager
async def _database(url: str, folder: Path) -> AsyncIterator[MongoServer]:
    name = f"bench{secrets.token_hex(6)}"
    async with opened_mongo(Settings(home=folder, grpc_port=0, mongodb_url=Secret(url), mongodb_db=name)) as server:
        await apply(server, ALL)
        yield server
    await asyncio.to_thread(_drop, url, name)


def _drop(url: str, name: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:  # without the limits of time that the product sets
        client.drop_database(name)


async def _engine(server: MongoServer) -> str:
    hello = await server.database.command("hello")
    return "SecantusDB" if hello.get("setName") == "secantus" else f"MongoDB {server.version}"


async def _in_turn(
    server: MongoServer, other: MongoServer, given: Sequence[PageCollected], parser: PageParser
) -> list[tuple[float, float]]:
    """Items per second of ours and of the bare writes, batch by batch in turn, so that both meet the same machine."""
    store = MongoDocuments(server)
    rates: list[tuple[float, float]] = []
    until = time.perf_counter() + RATE_SECONDS
    while len(rates) < BATCHES and (len(rates) < 2 or time.perf_counter() < until):
        batch = given[len(rates) * BATCH :][:BATCH]
        began = time.perf_counter()
        new = await _store(store, batch, parser)
        ours = time.perf_counter() - began
        left = [(name, await _left(server, other, name)) for name in COLLECTIONS]
        began = time.perf_counter()
        for name, documents in left:
            await other.database[name].bulk_write([InsertOne(one) for one in documents], ordered=False)
        rates.append((new / ours, new / (time.perf_counter() - began)))
    return rates


async def _left(server: MongoServer, other: MongoServer, name: str) -> list[dict[str, Any]]:
    """Documents of a collection that the other database has not got."""
    there = {one["_id"] async for one in other.database[name].find({}, {"_id": 1})}
    return [one async for one in server.database[name].find() if one["_id"] not in there]


async def _store(store: MongoDocuments, given: Sequence[PageCollected], parser: PageParser) -> int:
    """How many items were new."""
    parsed = [parser.parse(page).result for page in given]
    return sum(answer.new for answer in await store.store_pages(parsed, SystemClock().now()))


async def _loop(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> float:
    items = server.database["posts"]
    await items.create_index([("created_at", 1)])
    count = 0
    started = time.perf_counter()
    for page in given:
        for item in parser.parse(page).result.items:
            post = Post.model_validate(msgspec.to_builtins(item)).model_dump(mode="json")
            if await items.find_one({"_id": item.key}) is None:
                await items.insert_one({"_id": item.key, **post})
                count += 1
            else:
                await items.update_one({"_id": item.key}, {"$set": post})
    return count / (time.perf_counter() - started)


async def _growth(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> list[tuple[int, float]]:
    """After each batch, how many items are stored and the seconds that each of its new ones took; ends in time."""
    store = MongoDocuments(server)
    stored = await server.database["items"].count_documents({})
    costs: list[tuple[int, float]] = []
    until = time.perf_counter() + GROWTH_SECONDS
    for start in range(0, len(given), BATCH):
        began = time.perf_counter()
        if stored >= MANY or began >= until:
            break
        new = await _store(store, given[start : start + BATCH], parser)
        stored += new
        if new:
            costs.append((stored, (time.perf_counter() - began) / new))
    return costs


if __name__ == "__main__":
    sys.exit(report(measure()))
