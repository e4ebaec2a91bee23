"""The server is killed while batches are written, and comes back: nothing is lost or doubled, the store goes on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from xget_contracts.events import PageParsed, PageStored
from xget_kernel.errors import Unavailable
from xget_kernel.secrets import Secret
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.ports import ItemFilter
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_author, make_item, make_page
from xget_testing.engines import OwnEngines

PAGES, BATCH = 60, 5
KILLS = 3
BACK_SECONDS = 30.0


@pytest.fixture
def engines() -> Iterator[OwnEngines]:
    own = OwnEngines("mongo-kill")
    yield own
    own.stop()


async def stubborn(store: MongoDocuments, batch: Sequence[PageParsed]) -> tuple[list[PageStored], int]:
    """Store a batch as a consumer does, again until it works; and how often it did not."""
    refused = 0
    while True:
        try:
            return await store.store_pages(batch, START), refused
        except Unavailable:
            refused += 1
            await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.connected("mongodb")
async def test_a_killed_server_loses_and_doubles_nothing(engines: OwnEngines, tmp_path: Path) -> None:
    url = (await asyncio.to_thread(engines.start, "mongodb"))["mongodb"]
    moments = random.Random(3)
    pages = [
        make_page(n, [make_item(n * 8 + i) for i in range(10)], authors=[make_author(n % 7)])
        for n in range(1, PAGES + 1)
    ]
    distinct = {item.key for page in pages for item in page.items}

    async def kill() -> float:
        """Kill and start again some times; the longest time that took."""
        longest = 0.0
        for _ in range(KILLS):
            await asyncio.sleep(moments.uniform(0.2, 0.8))
            began = time.monotonic()
            await asyncio.to_thread(engines.kill, "mongodb")
            await asyncio.to_thread(engines.start, "mongodb")
            longest = max(longest, time.monotonic() - began)
        return longest

    settings = Settings(home=tmp_path, grpc_port=0, mongodb_url=Secret(url))
    async with opened_mongo(settings) as server:
        store = MongoDocuments(server)
        await store.open()
        killing = asyncio.create_task(kill())
        answers: list[PageStored] = []
        refused = 0
        for start in range(0, PAGES, BATCH):
            found, times = await stubborn(store, pages[start : start + BATCH])
            answers += found
            refused += times
        longest = await killing
        assert refused > 0, "the server was never away while something was written"
        assert longest < BACK_SECONDS
        assert sum(one.new for one in answers) == len(distinct)
        assert sum(one.duplicate for one in answers) == PAGES * 10 - len(distinct)
        again, _ = await stubborn(store, pages)
        assert again == answers
        assert set(await store.scan(None, 10_000)) == distinct
        assert (await store.sighted(ItemFilter(task_id="t1"), 10)).total == len(distinct)
