"""From a raw page to a stored and searchable item, in one process: the line against the plain loop (`bench.plain`).

The line is the product's own: processing's and storage's workers on one SQLite event log and their own files, all with
`synchronous=FULL`. The clock runs from the first publish of the compressed pages until the last of them is parsed,
checked against quarantine, kept as received, stored (items, authors, sightings) and in the search index. What counts
are items that were new to the store. The garbage collector is set as `xget up` sets it. Line and loop get pages of
the same file and take turns; each keeps its best round, since other work on the machine only ever slows a round down.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench import pages, plain
from bench.feeding import feed
from bench.table import Row, report
from xget_contracts.events import PageCollected
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel import collector
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.service.language import LanguageRules
from xget_processing.service.parsing import PageParser
from xget_processing.settings import Settings as ProcessingSettings
from xget_processing.worker import create_worker as processing_worker
from xget_sources.registry import load_sources
from xget_storage.adapters.stores import Stores
from xget_storage.ports import ItemFilter, SearchQuery
from xget_storage.settings import Settings as StorageSettings
from xget_storage.worker import create_worker as storage_worker
from xget_telemetry.logs import configure

WARM_PAGES = 20
LINE_PAGES = 250
LOOP_PAGES = 25
ROUNDS = 3
RATE_TARGET = 800.0
RATIO_TARGET = 10.0


def measure() -> list[Row]:
    """The line's rate, and how many times the loop's that is."""
    configure("bench", json=False, level="warning")
    with tempfile.TemporaryDirectory(prefix="xget-bench-") as folder:
        return _measure(Path(folder))


def _measure(folder: Path) -> list[Row]:
    wanted = (WARM_PAGES + LINE_PAGES) * pages.POSTS_PER_PAGE
    given = list(pages.read(pages.make(folder / "line.pages", wanted)))
    parser = PageParser(load_sources(), LanguageRules(FastLangdetect()))
    for page in given[:WARM_PAGES]:
        parser.parse(page)
    collector.calm()
    line = house = bare = 0.0
    for number in range(ROUNDS):
        home = folder / f"round-{number}"
        home.mkdir()
        line = max(line, asyncio.run(_line(home, given)))
        looped = given[WARM_PAGES : WARM_PAGES + LOOP_PAGES]
        house = max(house, _rate(lambda: asyncio.run(plain.through_sqlalchemy(home / "house.db", looped, parser))))  # noqa: B023 - called at once
        bare = max(bare, _rate(lambda: plain.through_sqlite3(home / "bare.db", looped, parser)))  # noqa: B023 - called at once
    return _rows(line, house, bare)


def _rows(line: float, house: float, bare: float) -> list[Row]:
    name = "raw page → stored, searchable"
    ours = f"{line:.0f} items/s"
    return [
        Row(name=name, ours=ours, value=ours, target=f"≥ {RATE_TARGET:.0f} items/s", ok=line >= RATE_TARGET),
        Row(
            name=f"{name}: vs plain loop",
            ours=ours,
            peer=f"{house:.0f} items/s (SQLAlchemy)",
            value=f"{line / house:.1f}x",
            target=f"≥ {RATIO_TARGET:.0f}x",
            ok=line / house >= RATIO_TARGET,
        ),
        Row(
            name=f"{name}: vs bare loop",
            ours=ours,
            peer=f"{bare:.0f} items/s (sqlite3)",
            value=f"{line / bare:.1f}x",
        ),
    ]


async def _line(home: Path, given: list[PageCollected]) -> float:
    """New items per second, after a warm-up that loads parsers and models."""
    async with _working(home) as log, Stores.opened(StorageSettings(home=home)) as stores:
        await feed(log, given[:WARM_PAGES])
        before = await _searchable(stores)
        started = time.perf_counter()
        await feed(log, given[WARM_PAGES:])
        seconds = time.perf_counter() - started
        return (await _searchable(stores) - before) / seconds


@asynccontextmanager
async def _working(home: Path) -> AsyncIterator[SqliteEventLog]:
    """Both workers on a log, as `xget up` runs them."""
    log = SqliteEventLog(home / "events.db")
    await log.create_topics(load_topics())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(processing_worker(ProcessingSettings(home=home), log=log).run(stop))
        group.create_task(storage_worker(StorageSettings(home=home, grpc_port=0), log=log).run(stop))
        yield log
        stop.set()
    await log.close()


async def _searchable(stores: Stores) -> int:
    """Items that search finds; all that are stored are among them, or the figure would be worth nothing."""
    found = (await stores.search.search(SearchQuery(size=1))).total
    stored = (await stores.documents.find(ItemFilter(), 1)).total
    assert found == stored > 0, f"{stored} items are stored but search has {found}"
    return found


def _rate(loop: Callable[[], int]) -> float:
    started = time.perf_counter()
    items = loop()
    return items / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(report(measure()))
