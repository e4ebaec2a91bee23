"""Elasticsearch, or who rebuilds its index, is killed at any moment: search ends up with exactly what is stored.

`make soak` (XGET_SOAK=1) kills an engine of the trial's own; `make test` kills one under a whole cluster
(tests/faults/test_engine_kill.py).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import ApiError, AsyncElasticsearch

from xget_contracts.events import RESULTS, STORED
from xget_events import codec
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics
from xget_kernel.clock import SystemClock
from xget_kernel.errors import XGetError
from xget_kernel.secrets import Secret
from xget_storage.adapters.stores import Stores
from xget_storage.models import StoredItem
from xget_storage.ports import Actor, ItemFilter, SearchQuery
from xget_storage.service.ingest import IndexService
from xget_storage.settings import Settings
from xget_storage.worker import create_worker
from xget_testing.contracts.pages import START, make_item, make_page
from xget_testing.elastic import fresh_prefix
from xget_testing.engines import OwnEngines

pytestmark = [pytest.mark.slow, pytest.mark.connected("elasticsearch")]

XGET = str(Path(sys.executable).with_name("xget"))
SOAK = os.environ.get("XGET_SOAK") == "1"
PAGES, PER_PAGE, KILLS = 90, 40, 1
ITEMS = 6000
KILLED_AFTER = (0, 1, 3, 4)
"""Pieces of 500 items that a rebuild may make before it is killed."""


async def everything(stores: Stores) -> dict[str, str]:
    """Key and text of all that search finds, looked up in the documents."""
    keys: list[str] = []
    after = None
    while True:
        page = await stores.search.search(SearchQuery(sort="newest", size=100, after=after))
        keys += page.keys
        if (after := page.cursor) is None:
            break
    assert len(keys) == len(set(keys)) == page.total
    return {key: item.visible().text for key, item in (await stores.documents.load(keys)).items()}


async def stored(stores: Stores) -> dict[str, str]:
    """The same of all documents."""
    found: dict[str, str] = {}
    after = None
    while piece := await stores.documents.scan(after, 500):
        found |= {key: item.visible().text for key, item in piece.items() if isinstance(item, StoredItem)}
        after = list(piece)[-1]
    return found


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[SqliteEventLog]:
    """A storage worker for the length of a block."""
    log = SqliteEventLog(settings.home / "events.db")
    await log.create_topics(load_topics())
    stop = asyncio.Event()
    work = asyncio.create_task(create_worker(settings, log=log).run(stop))
    try:
        yield log
    finally:
        stop.set()
        await work
        await log.close()


@pytest.mark.skipif(not SOAK, reason="starts an engine twice; `make soak` does so")
async def test_the_engine_is_killed_while_it_indexes(settings: Settings) -> None:
    with OwnEngines("search") as engines:
        urls = await asyncio.to_thread(engines.start, "elasticsearch")
        chosen = settings.model_copy(update={"elasticsearch_url": Secret(urls["elasticsearch"])})
        randomness = random.Random(4)
        async with working(chosen) as log:
            sending = asyncio.create_task(_send(log))
            async with asyncio.timeout(60):
                while not await log.lag("search-index"):  # noqa: ASYNC110 - the log has no event for it
                    await asyncio.sleep(0.02)
            for _ in range(KILLS):
                await asyncio.sleep(randomness.uniform(0.2, 1.5))
                await asyncio.to_thread(engines.kill, "elasticsearch")
                await asyncio.sleep(randomness.uniform(0.0, 1.0))
                await asyncio.to_thread(engines.start, "elasticsearch")
            await sending
            async with Stores.opened(chosen) as stores, asyncio.timeout(60):
                await _until_indexed(log, stores)
                assert await everything(stores) == await stored(stores)
            async with log.consumer("letters", [f"{STORED}.dlq"]) as consumer:
                assert await consumer.poll(timeout=0.1) == []


async def _send(log: SqliteEventLog) -> None:
    for number in range(PAGES):
        page = make_page(number, [make_item(number * PER_PAGE + n, text=f"word {n}") for n in range(PER_PAGE)])
        await log.publish([codec.message(RESULTS, "e1", page, source="test", now=SystemClock().now())])
        await asyncio.sleep(0.05)


async def _until_indexed(log: SqliteEventLog, stores: Stores) -> None:
    while len(await stored(stores)) < PAGES * PER_PAGE or any((await log.lag("search-index")).values()):  # noqa: ASYNC110 - the log has no event for it
        await asyncio.sleep(0.1)
    while True:
        with suppress(XGetError):
            if (await stores.search.search(SearchQuery(size=1))).total >= PAGES * PER_PAGE:
                return
        await asyncio.sleep(0.1)


async def test_rebuilds_are_killed_while_items_are_changed_and_searched(
    settings: Settings, elasticsearch_url: str
) -> None:
    async with fresh_prefix(elasticsearch_url) as prefix:
        given = {"elasticsearch_url": Secret(elasticsearch_url), "elasticsearch_index": prefix}
        async with Stores.opened(settings.model_copy(update=given)) as stores:
            indexing = IndexService(stores.documents, stores.search)
            for first in range(0, ITEMS, 500):
                items = [make_item(first + n, text=f"word {n}") for n in range(500)]
                await stores.documents.store_pages([make_page(first, items)], START)
                await indexing.index([item.key for item in items])
            async with asyncio.timeout(60):  # what is written is found within a second
                while await everything(stores) != await stored(stores):  # noqa: ASYNC110 - search has no event for it
                    await asyncio.sleep(0.5)
            changing = asyncio.create_task(_change(stores, indexing))
            searching = asyncio.create_task(_search(stores))
            for pieces in KILLED_AFTER:
                ends = [await _rebuild(settings.home, elasticsearch_url, prefix, pieces)]
                while ends[-1] == 0 and len(ends) < 5:  # it was done before it could be killed
                    ends.append(await _rebuild(settings.home, elasticsearch_url, prefix, pieces))
                assert ends[-1] == -signal.SIGKILL
            assert await _rebuild(settings.home, elasticsearch_url, prefix, None) == 0
            for task in (changing, searching):
                assert not task.done(), task.exception()
                task.cancel()
            await asyncio.gather(changing, searching, return_exceptions=True)
            await indexing.catch_up()
            found, there = await everything(stores), await stored(stores)
            async with asyncio.timeout(60):
                while found != there:
                    await asyncio.sleep(0.5)
                    found = await everything(stores)
            assert found == there
            async with AsyncElasticsearch(elasticsearch_url) as bare:
                left = await bare.indices.get(index=f"{prefix}-items*", features=["aliases"])
            ((_, only),) = left.items()
            assert set(only["aliases"]) == {f"{prefix}-items", f"{prefix}-items-write"}


async def _rebuild(home: Path, url: str, prefix: str, pieces: int | None) -> int | None:
    """Run the command; kill -9 after some pieces, unless it is done by then. Its exit code."""
    env = {"XGET_HOME": str(home), "ELASTICSEARCH_URL": url, "ELASTICSEARCH_INDEX": prefix, "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(XGET, "search", "reindex", env=env)
    if pieces is not None:
        async with AsyncElasticsearch(url) as bare, asyncio.timeout(180):
            await _until_begun(bare, prefix, process)
            state = await _state(bare, prefix)
            seen = {state["after"]}
            while state["held"] and len(seen) <= pieces and process.returncode is None:
                await asyncio.sleep(0.01)
                state = await _state(bare, prefix)
                seen.add(state["after"])
        if state["held"]:  # else it is done
            with suppress(ProcessLookupError):
                process.kill()
    return await process.wait()


async def _state(bare: AsyncElasticsearch, prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = (await bare.get(index=f"{prefix}-items-rebuild", id="rebuild"))["_source"]
    return found


async def _until_begun(bare: AsyncElasticsearch, prefix: str, process: asyncio.subprocess.Process) -> None:
    """Wait for a holder of the lock that gives signs of life, or for the end of the process."""
    beat = None
    while process.returncode is None:
        with suppress(ApiError):
            state = await _state(bare, prefix)
            if state["held"] and state["index"] and beat not in (None, state["beat"]):
                return
            beat = state["beat"]
        await asyncio.sleep(0.02)


async def _change(stores: Stores, indexing: IndexService) -> None:
    """Edit and delete items all the time, as people do."""
    randomness = random.Random(5)
    for turn in range(100_000):
        key, by = f"x:{randomness.randrange(ITEMS)}", Actor(user_id="root", at=START)
        with suppress(XGetError):
            if turn % 3:
                await stores.documents.edit(key, None, {"text": f"word edited {turn}"}, rev=None, by=by)
            else:
                await stores.documents.delete(key, None, by=by)
        await indexing.catch_up()
        await asyncio.sleep(0.01)


async def _search(stores: Stores) -> None:
    """Search all the time: no error, and never fewer items than there are afterwards (items only go)."""
    while True:
        found = (await stores.search.search(SearchQuery(text="word", size=1))).total
        there = (await stores.documents.find(ItemFilter(), 1)).total
        assert found >= there
        await asyncio.sleep(0.05)
