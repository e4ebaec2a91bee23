"""MongoDB at start and while it is away: one sentence each, naming the setting, without credentials."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import BulkWriteError, NotPrimaryError, OperationFailure

from xget_kernel.errors import Full, StartupError, TooLarge, Unavailable
from xget_kernel.secrets import Secret
from xget_storage.adapters.mongo import MongoServer, opened_mongo
from xget_storage.adapters.mongo.client import refuse_old
from xget_storage.adapters.mongo.errors import refused_at_start, translated
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.adapters.stores import Stores
from xget_storage.settings import Settings
from xget_testing.contracts.pages import START, make_item, make_page


@pytest.mark.parametrize(
    "url",
    [
        "somewhere",
        "http://host",
        "mongodb://",
        "mongodb://u:hunter2@h:port/",
        "mongodb://h/?w=%%",
        "mongodb://h/?nosuch=1",
        "mongodb://h/?tls=perhaps",
    ],
)
async def test_a_bad_url_is_one_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(StartupError, match="MONGODB_URL") as error:
        async with opened_mongo(Settings(home=tmp_path, mongodb_url=Secret(url))):
            pass
    assert "hunter2" not in str(error.value)


@pytest.mark.mongodb_away
async def test_a_server_that_is_not_there_is_said_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mongodb://user:hunter2@127.0.0.1:{taken.getsockname()[1]}/db"
        began = time.monotonic()
        with pytest.raises(StartupError, match="does not answer: start it, or correct MONGODB_URL") as error:
            async with Stores.opened(Settings(home=tmp_path, mongodb_url=Secret(url))):
                pass
    assert time.monotonic() - began < 30
    assert "hunter2" not in str(error.value)
    assert "127.0.0.1" in str(error.value)


@pytest.mark.parametrize(
    ("code", "says"), [(18, "user and password in MONGODB_URL"), (13, "grant the roles readWrite"), (59, "code 59")]
)
def test_a_refusal_says_what_to_mend(code: int, says: str) -> None:
    assert says in str(refused_at_start(OperationFailure("secret text", code), "mongodb://*@h"))


def test_an_old_server_is_refused() -> None:
    refuse_old("5.0.3", "mongodb://h")
    with pytest.raises(StartupError, match=r"4\.4\.29.*needs 5\.0"):
        refuse_old("4.4.29", "mongodb://h")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotPrimaryError("not primary"), Unavailable),
        (OperationFailure("no", 13), Unavailable),
        (OperationFailure("disk", 14031), Full),
        (BulkWriteError({"writeErrors": [{"code": 11000}, {"code": 14031}]}), Full),
        (BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 91}]}), Unavailable),
        (BulkWriteError({"writeErrors": [{"code": 10334}]}), TooLarge),
    ],
)
def test_errors_of_the_driver_become_ours(error: Any, kind: type[Exception]) -> None:
    ours = translated(error)
    assert type(ours) is kind
    assert kind is not Unavailable or ours.headers["Retry-After"]


@pytest.mark.connected("mongodb")
async def test_opening_twice_at_once_is_fine_and_mends_a_validator(mongo: MongoServer) -> None:
    await asyncio.gather(*(MongoDocuments(mongo).open() for _ in range(2)))
    await mongo.database.command("collMod", "items", validator={})
    await MongoDocuments(mongo).open()
    (items,) = [one async for one in await mongo.database.list_collections(filter={"name": "items"})]
    assert items["options"]["validator"]


@pytest.mark.connected("mongodb")
async def test_an_index_in_the_way_is_named_with_the_fix(mongo: MongoServer) -> None:
    await mongo.database["items"].create_index([("elsewhere", 1)], name="by_time")
    with pytest.raises(StartupError, match=r"items has an index.*'by_time'.*dropIndex"):
        await MongoDocuments(mongo).open()


@pytest.mark.connected("mongodb")
async def test_what_bson_cannot_say_is_kept_too(mongo: MongoServer) -> None:
    store = MongoDocuments(mongo)
    await store.open()
    odd = make_item(1, extra={"large": 2**70, "a\x00b": 1, "dotted.$name": {"$x": [None]}}, text="nul \x00 inside")
    await store.store_pages([make_page(1, [odd])], START)
    await store.store_pages([make_page(2, [make_item(1, lang="zh", extra={"more": 1})])], START)
    item = await store.get("x:1", "owner-1")
    assert item is not None
    assert item.extra == {"large": 2**70, "a\x00b": 1, "dotted.$name": {"$x": [None]}, "more": 1}
    assert item.lang == "zh"


@pytest.mark.connected("mongodb")
async def test_every_list_and_step_is_served_from_an_index(mongo: MongoServer) -> None:
    store = MongoDocuments(mongo)
    await store.open()
    await store.store_pages([make_page(1, [make_item(n) for n in range(5)])], START)
    items, sightings = mongo.database["items"], mongo.database["sightings"]
    cursors = [
        items.find({"shown.at": {"$gte": -1}}, sort=[("shown.at", -1), ("_id", -1)]),
        items.find({"owners": "owner-1", "shown.at": 5, "_id": {"$lt": "x"}}),
        items.find({"owners": "owner-1", "shown.at": {"$gte": 1, "$lt": 5}}, sort=[("shown.at", -1), ("_id", -1)]),
        items.find({"shown.at": {"$gte": -1}, "shown.author": "user1"}),
        items.find({"lists": "t1@owner-1:match"}),
        items.find({"lists": "t1@owner-1", "shown.at": {"$gte": 1}}),
        items.find({"unindexed": {"$exists": True}}),
        items.find({"_id": {"$in": ["x:1", "x:2"]}}),
        sightings.find({"e": "e1", "s": {"$gt": 5}}, sort=[("s", 1)]),
        sightings.find({"ft": "t1", "s": {"$gt": 5}}, sort=[("s", 1)]),
        mongo.database["audit"].find({"k": {"$in": ["x:1"]}}),
        mongo.database["executions"].find({"task": "t1", "owner": "owner-1"}),
    ]
    for cursor in cursors:
        plan = (await cursor.explain())["queryPlanner"]["winningPlan"]
        assert "COLLSCAN" not in str(plan), plan
