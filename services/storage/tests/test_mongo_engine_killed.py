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
BACK_SECONDS = 120.0


@pytest.fixture
def engines() -> Iterator[OwnEngines]:
    own = OwnEngines("mongo-kill")
    yield own
    own.stop()


class Writer:
    """Stores batches as a consumer does, each again until it works."""

    def __init__(self, store: MongoDocuments) -> None:
        self._store = store
        self.answers: list[PageStored] = []
        self.refused = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def store(self, batch: Sequence[PageParsed]) -> list[PageStored]:
        while True:
            await self.may_go_on.wait()
            try:
                return await self._store.store_pages(batch, START)
            except Unavailable:
                self.refused += 1
                await asyncio.sleep(0.2)

    async def run(self, pages: Sequence[PageParsed]) -> None:
        for start in range(0, len(pages), BATCH):
            self.answers += await self.store(pages[start : start + BATCH])


async def kill_under(writer: Writer, engines: OwnEngines) -> float:
    """Kill the server while it writes, let the writer find it dead, start it again, some times; the longest of that."""
    moments = random.Random(3)
    longest = 0.0
    for part in range(1, KILLS + 1):
        while len(writer.answers) < PAGES * part // (KILLS + 1):  # noqa: ASYNC110 - the writer has no event for it
            await asyncio.sleep(0.005)
        await asyncio.sleep(moments.uniform(0.0, 0.05))
        before = writer.refused
        writer.may_go_on.clear()  # what is under way goes on; what comes next meets a dead server
        began = time.monotonic()
        await asyncio.to_thread(engines.kill, "mongodb")
        writer.may_go_on.set()
        async with asyncio.timeout(BACK_SECONDS):
            while writer.refused == before:  # noqa: ASYNC110 - the writer has no event for it
                await asyncio.sleep(0.02)
        await asyncio.to_thread(engines.start, "mongodb")
        longest = max(longest, time.monotonic() - began)
    return longest


@pytest.mark.slow
@pytest.mark.connected("mongodb")
async def test_a_killed_server_loses_and_doubles_nothing(engines: OwnEngines, tmp_path: Path) -> None:
    url = (await asyncio.to_thread(engines.start, "mongodb"))["mongodb"]
    pages = [
        make_page(n, [make_item(n * 8 + i) for i in range(10)], authors=[make_author(n % 7)])
        for n in range(1, PAGES + 1)
    ]
    distinct = {item.key for page in pages for item in page.items}

    settings = Settings(home=tmp_path, grpc_port=0, mongodb_url=Secret(url))
    async with opened_mongo(settings) as server:
        store = MongoDocuments(server)
        await store.open()
        writer = Writer(store)
        longest, _ = await asyncio.gather(kill_under(writer, engines), writer.run(pages))
        assert writer.refused >= KILLS
        assert longest < BACK_SECONDS
        answers = writer.answers
        assert sum(one.new for one in answers) == len(distinct)
        assert sum(one.duplicate for one in answers) == PAGES * 10 - len(distinct)
        again = await writer.store(pages)
        assert again == answers
        assert set(await store.scan(None, 10_000)) == distinct
        assert (await store.sighted(ItemFilter(task_id="t1"), 10)).total == len(distinct)
