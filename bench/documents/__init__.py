"""Raw page → stored on MongoDB, beside bare bulk writes of the same documents, and the loop that one would write first.

The same pages into databases with the same collections, indexes, validators and write concern (majority, on disk), in
batches as large as storage's worker takes, in turn; medians over the batches, the first one apart. Rates are items that
were new, per second.

- `ours`: parse the pages, then `MongoDocuments.store_pages` as storage's worker calls it: what is known is loaded,
  merged, counted, written (items, sightings, authors, pages).
- `bare`: every document that ours' batch left new or changed, from ready dicts, by one unordered `bulk_write` for each
  collection, one after the other: InsertOne for those that are new, ReplaceOne for those that were there (items and
  authors seen again). It parses, reads, merges and counts nothing, and ends with the same documents, byte by byte.
- `bare, all collections at once`: the same bulk writes at the same time, as far as anybody could hurry. Batches
  alternate between this and `bare`.
- `loop` (`loop.py`): the same without batches: for each item of a page validate with pydantic, `find_one`, then
  `insert_one` or `update_one`; so its sighting, its author, and the page. Beside it the items alone, with no sighting,
  author or page, into a collection with one index and no validator.
- Cost per item: see `growing.py`.

Needs a server: `XGET_ENGINES` names the file of URLs (without it there are no rows). The rows say which server
answered: figures of the stand-in are no figures of MongoDB.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from pathlib import Path

from pymongo import monitoring

from bench import pages
from bench.documents import growing, rates
from bench.documents.recording import Recorder
from bench.documents.servers import Server, database
from bench.documents.storing import Bench
from bench.table import Row
from xget_kernel import collector
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_sources.registry import load_sources

__all__ = ["measure"]


def measure() -> list[Row]:
    """Rates, and how the cost of an item grows."""
    file = os.environ.get("XGET_ENGINES")
    url = json.loads(Path(file).read_text("utf-8")).get("mongodb") if file else None
    if url is None:
        return []
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder:
        return asyncio.run(_measure(Path(folder), url))


async def _measure(folder: Path, url: str) -> list[Row]:
    parser = PageParser(load_sources(), LanguageRules(FastLangdetect()))
    given = growing.given(folder)
    turns = growing.turns(folder)
    parser.parse(next(pages.read(turns)))
    collector.calm()
    recorder = Recorder()
    monitoring.register(recorder)  # clients that are made from here on
    async with database(url, folder) as ours, database(url, folder) as bare:
        bench = Bench(parser, await Server.of(url, ours))
        async with database(url, folder) as loop:
            found = await rates.measure(bench, ours, bare, loop, given)
        return [*found, *await growing.measure(bench, recorder, ours, bare, list(pages.read(turns)))]
