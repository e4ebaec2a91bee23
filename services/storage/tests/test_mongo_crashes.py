"""Kill -9 between any two writes, and the batch again: the same documents, lists and counts as without."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.mongo import opened_mongo
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.ports import ItemFilter
from xget_testing.contracts.pages import START

SCRIPT = Path(__file__).with_name("mongo_dying.py")
_spec = importlib.util.spec_from_file_location("mongo_dying", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
dying = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(dying)


@pytest.fixture
def prefix(mongodb_url: str) -> Iterator[str]:
    name = f"t{secrets.token_hex(4)}_"
    yield name
    with MongoClient[dict[str, object]](mongodb_url) as client:
        for database in client.list_database_names():
            if database.startswith(name):
                client.drop_database(database)


async def deliver(store: MongoDocuments, pages: Sequence[PageParsed], cuts: random.Random) -> dict[Any, PageStored]:
    """Deliver pages in order, in batches of random sizes; the last answer for each."""
    answers: list[PageStored] = []
    left = list(pages)
    while left:
        size = cuts.randint(1, len(pages))
        answers += await store.store_pages(left[:size], START)
        left = left[size:]
    return {(one.execution_id, one.page_no): one for one in answers}


async def state(server: Any, store: MongoDocuments) -> dict[str, Any]:
    """All that is stored, apart from versions and marks."""
    kept: dict[str, Any] = {"items": await store.scan(None, 1000)}
    for name in ("sightings", "authors", "pages", "executions", "items"):
        found = [one async for one in server.database[name].find(sort=[("_id", 1)])]
        kept[f"{name} as stored"] = [{k: v for k, v in one.items() if k not in ("v", "marks")} for one in found]
    for wanted in (
        {"task_id": "t1"},
        {"execution_id": "e1"},
        {"execution_id": "e2"},
        {"execution_id": "e8"},
        {"execution_id": "e3"},
    ):
        kept[str(wanted)] = await store.sighted(ItemFilter(**wanted), 100)
    return kept


@pytest.mark.slow
@pytest.mark.connected("mongodb")
@pytest.mark.parametrize("size", [1000, 3])
async def test_a_kill_between_any_two_writes_and_a_redelivery_end_in_the_same(
    mongodb_url: str, prefix: str, size: int
) -> None:
    command = [sys.executable, str(SCRIPT), mongodb_url, prefix, str(size)]
    done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, text=True, timeout=300)
    moments = int(done.stdout)
    assert moments >= (10 if size > 100 else 20)
    whole: dict[str, Any] = {}
    for moment in range(moments + 1):
        async with opened_mongo(dying.settings(mongodb_url, f"{prefix}{moment}")) as server:
            store = MongoDocuments(server)
            pages = dying.batch()
            answers = await deliver(store, pages, random.Random(moment))
            found = await state(server, store)
            assert await deliver(store, pages, random.Random(moment + 1)) == answers
            assert await state(server, store) == found
        whole = whole or found
        assert found == whole, f"after the kill at write {moment} of {moments}"
