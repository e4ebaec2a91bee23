"""The loop that one would write first: one record after the other, each looked up, then inserted or updated.

It ends with the same things as ours (items, sightings, authors, pages), in collections with the same indexes and
validators, and fills every field that they are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bench.plain import Person, Post
from xget_contracts.events import PageCollected, PageParsed
from xget_contracts.items import Item
from xget_processing.service.parsing import PageParser
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo.encoding import micros

Document = dict[str, Any]


async def store(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> int:
    """Everything of the pages; how many items were new."""
    count = 0
    for collected in given:
        page = parser.parse(collected).result
        new = [await _item(server, page, item, place) for place, item in enumerate(page.items)]
        for author in page.authors:
            person = Person.model_validate(msgspec.to_builtins(author)).model_dump(mode="json", exclude={"key"})
            seen = {"last_seen": str(page.fetched_at)}
            await _put(server, "authors", author.key, {**person, **seen}, {"v": 1})
        answer = {"items": len(page.items), "new": sum(new), "authors": len(page.authors)}
        document = {"digests": [collected.sha256], "answer": answer}
        await _put(server, "pages", f"{page.execution_id}/{page.page_no}", document, {"v": 1})
        count += sum(new)
    return count


async def store_items(server: MongoServer, given: Sequence[PageCollected], parser: PageParser) -> int:
    """The items alone, into a collection with an index by time; how many were new."""
    items = server.database["posts"]
    await items.create_index([("created_at", 1)])
    count = 0
    for page in given:
        for item in parser.parse(page).result.items:
            post = Post.model_validate(msgspec.to_builtins(item)).model_dump(mode="json")
            if await items.find_one({"_id": item.key}) is None:
                await items.insert_one({"_id": item.key, **post})
                count += 1
            else:
                await items.update_one({"_id": item.key}, {"$set": post})
    return count


async def _item(server: MongoServer, page: PageParsed, item: Item, place: int) -> bool:
    """Whether it was new."""
    post = Post.model_validate(msgspec.to_builtins(item))
    at = micros(post.created_at or page.fetched_at)
    shown = {"at": at, "kind": post.kind, "platform": item.platform, "media": bool(post.media), "lang": post.lang}
    shown["author"] = (post.author_username or "").casefold()
    task = f"{page.task_id}@{page.owner_id}"
    lists = {"owners": [page.owner_id], "lists": [task, f"{task}:{post.role}"]}
    fields = post.model_dump(mode="json", exclude={"key", "role"})
    new = await _put(server, "items", item.key, {**fields, "shown": shown}, {"v": 1, "rev": 1}, **lists)
    sighting = {
        "e": page.execution_id, "k": item.key, "t": page.task_id, "o": page.owner_id, "p": page.page_no,
        "s": page.page_no << 16 | place, "at": micros(page.fetched_at), "x": post.metrics.model_dump(mode="json"),
        "f": new, "ft": page.task_id,
    }  # fmt: skip
    sightings = server.database["sightings"]
    id_ = f"{page.execution_id}:{item.key}"
    if await sightings.find_one({"_id": id_}) is None:
        await sightings.insert_one({"_id": id_, **sighting})
    return new


async def _put(
    server: MongoServer, name: str, id_: str, fields: Document, counters: dict[str, int], **lists: list[str]
) -> bool:
    """Insert or update one document; whether it was new."""
    documents = server.database[name]
    if await documents.find_one({"_id": id_}) is None:
        await documents.insert_one({"_id": id_, **fields, **counters, **lists})
        return True
    update: Document = {"$set": fields, "$inc": counters}
    if lists:
        update["$addToSet"] = {field: {"$each": values} for field, values in lists.items()}
    await documents.update_one({"_id": id_}, update)
    return False
