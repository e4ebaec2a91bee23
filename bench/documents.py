"""Raw page → stored on MongoDB, beside a bare unordered `bulk_write` and beside the loop that one would write first.

The same pages three times, into databases with the same collections, indexes and validators, in turn; medians of the
rounds. Rates are items per second.

- `ours`: parse a page, then `MongoDocuments.store_pages` in batches as storage's worker calls it: what is known is
  loaded, merged, counted, written (items, sightings, authors, pages).
- `bare`: the documents that ours left, each inserted once by unordered bulk writes: the least that anybody could do who
  parses, reads, merges and counts nothing.
- `loop`: parse a page; for each item validate with pydantic, `find_one`, then `insert_one` or `update_one`; no more.
- Cost per item: the last 2,000 items of a longer row of new pages, against those around 10,000.

Needs a server: `XGET_ENGINES` names the file of URLs (without it there are no rows). The first row says which server
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
from xget_contracts.events import PageCollected, PageParsed
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

BATCH = 32
"""Pages that are stored together."""
PAGES, LOOP_PAGES, ROUNDS = 64, 8, 3
FEW, MANY, LAST = 10_000, 20_000, 2_000
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
    rates: list[tuple[float, float, float]] = []
    engine = ""
    for _ in range(ROUNDS):
        async with _database(url, folder) as server:
            ours, documents = await _ours(server, given[:PAGES], parser)
            engine = await _engine(server)
        async with _database(url, folder) as server:
            bare = await _bare(server, documents)
        async with _database(url, folder) as server:
            rates.append((ours, bare, await _loop(server, given[:LOOP_PAGES], parser)))
    async with _database(url, folder) as server:
        few, many, reached = await _growth(server, given, parser)
    ours, bare, loop = (statistics.median(one) for one in zip(*rates, strict=True))
    to_bare = statistics.median(one[0] / one[1] for one in rates)
    to_loop = statistics.median(one[0] / one[2] for one in rates)
    name = "raw page → stored on MongoDB"
    return [
        Row(name=f"{name} ({engine})", ours=f"{ours:.0f} items/s", peer=f"{bare:.0f} items/s (bare bulk_write)",
            value=f"{to_bare:.2f}x", target=f"≥ {BARE_TARGET}x", ok=to_bare >= BARE_TARGET),
        Row(name=f"{name}: vs loop", ours=f"{ours:.0f} items/s", peer=f"{loop:.0f} items/s (find_one, insert_one)",
            value=f"{to_loop:.1f}x", target=f"≥ {LOOP_TARGET}x", ok=to_loop >= LOOP_TARGET),
        Row(name=f"cost per item, {reached // 1000}k vs {FEW // 1000}k stored", ours=f"{many * 1e6:.0f} µs",
            peer=f"{few * 1e6:.0f} µs", value=f"{many / few:.2f}", target=f"≤ {GROWTH_TARGET}",
            ok=many / few <= GROWTH_TARGET),
    ]  # fmt: skip


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


def _parsed(page: PageCollected, parser: PageParser) -> PageParsed:
    return parser.parse(page).result


async def _ours(
    server: MongoServer, given: Sequence[PageCollected], parser: PageParser
) -> tuple[float, dict[str, list[Any]]]:
    store = MongoDocuments(server)
    started = time.perf_counter()
    await _store(store, given, parser)
    seconds = time.perf_counter() - started
    documents = {name: await server.database[name].find().to_list() for name in COLLECTIONS}
    return len(documents["items"]) / seconds, documents


async def _store(store: MongoDocuments, given: Sequence[PageCollected], parser: PageParser) -> int:
    new = 0
    for start in range(0, len(given), BATCH):
        parsed = [_parsed(page, parser) for page in given[start : start + BATCH]]
        new += sum(answer.new for answer in await store.store_pages(parsed, SystemClock().now()))
    return new


async def _bare(server: MongoServer, documents: dict[str, list[Any]]) -> float:
    started = time.perf_counter()
    pieces = PAGES // BATCH
    for piece in range(pieces):
        for name, all_of_them in documents.items():
            operations = [InsertOne(one) for one in all_of_them[piece::pieces]]
            await server.database[name].bulk_write(operations, ordered=False)
    return len(documents["items"]) / (time.perf_counter() - started)


async def _loop(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> float:
    items = server.database["posts"]
    await items.create_index([("created_at", 1)])
    count = 0
    started = time.perf_counter()
    for page in given:
        for item in _parsed(page, parser).items:
            post = Post.model_validate(msgspec.to_builtins(item)).model_dump(mode="json")
            if await items.find_one({"_id": item.key}) is None:
                await items.insert_one({"_id": item.key, **post})
                count += 1
            else:
                await items.update_one({"_id": item.key}, {"$set": post})
    return count / (time.perf_counter() - started)


async def _growth(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> tuple[float, float, int]:
    """Seconds per item around `FEW`, at the end, and how many that were by then."""
    store = MongoDocuments(server)
    stored, costs = 0, []
    for start in range(0, len(given), BATCH):
        began = time.perf_counter()
        new = await _store(store, given[start : start + BATCH], parser)
        stored += new
        costs.append((stored, new, time.perf_counter() - began))
        if stored >= MANY:
            break

    def cost(least: int, most: int) -> float:
        chosen = [(new, seconds) for count, new, seconds in costs if least <= count <= most and new]
        return statistics.median(seconds / new for new, seconds in chosen)

    return cost(FEW - LAST, FEW + LAST), cost(stored - 2 * LAST, stored), stored


if __name__ == "__main__":
    sys.exit(report(measure()))
