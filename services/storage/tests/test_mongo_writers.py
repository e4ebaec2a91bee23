"""Several processes store overlapping items at once: nothing is lost, every count is exact."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Metrics
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.ports import Actor, ItemFilter
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_author, make_item, make_page

pytestmark = pytest.mark.connected("mongodb")
ITEMS = 24


@pytest.fixture
async def stores(mongo_settings: Settings) -> AsyncIterator[list[MongoDocuments]]:
    """Four, each with a client of its own."""
    async with AsyncExitStack() as stack:
        found = [MongoDocuments(await stack.enter_async_context(opened_mongo(mongo_settings))) for _ in range(4)]
        await found[0].open()
        yield found


def pages(writer: int) -> list[PageParsed]:
    """Six pages of one execution over items that all writers see, in an order of its own."""
    keys = list(range(ITEMS))
    random.Random(writer).shuffle(keys)
    owner = f"owner-{writer % 2}"
    return [
        make_page(
            number + 1,
            [make_item(n, metrics=Metrics(likes=100 * writer + n)) for n in keys[number * 4 : number * 4 + 5]],
            authors=[make_author(1, metrics=Metrics(followers=writer))],
            execution_id=f"e{writer}",
            task_id=f"t{writer}",
            owner_id=owner,
            after=writer,
        )
        for number in range(6)
    ]


async def store(documents: MongoDocuments, given: Sequence[PageParsed], size: int) -> list[PageStored]:
    """Store in batches."""
    answers: list[PageStored] = []
    for start in range(0, len(given), size):
        answers += await documents.store_pages(given[start : start + size], START)
    return answers


def counts(answers: Sequence[PageStored]) -> tuple[int, int]:
    """New ones, and all that were counted."""
    return sum(one.new for one in answers), sum(one.new + one.updated + one.unchanged for one in answers)


@pytest.mark.parametrize("writers", [2, 4])
@pytest.mark.parametrize("size", [1, 6])
async def test_writers_of_the_same_items_lose_nothing(stores: list[MongoDocuments], writers: int, size: int) -> None:
    answers = await asyncio.gather(*(store(stores[n], pages(n), size) for n in range(writers)))
    assert sum(counts(one)[0] for one in answers) == ITEMS
    assert [counts(one)[1] for one in answers] == [ITEMS] * writers
    items = await stores[0].load([f"x:{n}" for n in range(ITEMS)])
    assert len(items) == ITEMS
    for key, item in items.items():
        assert sorted(task for tasks in item.seen_by.values() for task in tasks) == [f"t{n}" for n in range(writers)]
        assert item.metrics.likes == 100 * (writers - 1) + int(key[2:])
    assert (await stores[0].authors(["x:1"]))["x:1"].metrics.followers == writers - 1
    for n in range(writers):
        listed = await stores[1].sighted(ItemFilter(execution_id=f"e{n}"), 100)
        assert (listed.total, len({one.item.key for one in listed.items})) == (ITEMS, ITEMS)
    again = await asyncio.gather(*(store(stores[n], pages(n), size) for n in range(writers)))
    assert again == answers


async def test_the_same_pages_at_two_writers_are_answered_the_same(stores: list[MongoDocuments]) -> None:
    first, second = await asyncio.gather(*(store(one, pages(1), 2) for one in stores[:2]))
    assert first == second
    assert counts(first) == (ITEMS, ITEMS)
    assert (await stores[0].sighted(ItemFilter(task_id="t1"), 100)).total == ITEMS


async def test_people_change_items_while_they_are_collected(stores: list[MongoDocuments]) -> None:
    await store(stores[0], pages(0), 6)
    by = Actor(user_id="owner-0", at=START)

    async def change() -> None:
        for n in range(0, ITEMS, 2):
            await stores[1].edit(f"x:{n}", None, {"text": f"mine {n}"}, rev=None, by=by)
        for n in range(1, ITEMS, 4):
            await stores[1].delete(f"x:{n}", None, by=by)
        while waiting := await stores[1].unindexed(5):
            revs = {key: one if isinstance(one, int) else one.rev for key, one in waiting.items()}
            await stores[1].indexed(revs)

    await asyncio.gather(change(), *(store(stores[n], pages(n), 1) for n in (2, 3)))
    gone = {f"x:{n}" for n in range(1, ITEMS, 4)}
    items = await stores[0].load([f"x:{n}" for n in range(ITEMS)])
    assert items.keys().isdisjoint(gone)
    assert all(items[f"x:{n}"].visible().text == f"mine {n}" for n in range(0, ITEMS, 2))
    assert await stores[0].unindexed(100) == {}
    for wanted in ({"task_id": "t2"}, {"execution_id": "e2"}, {"execution_id": "e0"}):
        listed: Any = await stores[0].sighted(ItemFilter(**wanted), 100)
        assert {one.item.key for one in listed.items} == items.keys()
        assert listed.total == len(items)
    assert len(await stores[0].audit("x:1", None)) == 1
