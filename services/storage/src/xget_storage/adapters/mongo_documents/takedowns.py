"""Authors who were taken down, and taking them down: item by item, each at once, like a deletion by a person.

A batch of pages that was under way when a ban was put looks again at its end (`sweep`); the second sweep of the
takedown is for one that died in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from pymongo.errors import DuplicateKeyError

from xget_contracts.events import PageParsed
from xget_storage.adapters.mongo.client import Database, Document
from xget_storage.adapters.mongo_documents.changing import Changing
from xget_storage.adapters.mongo_documents.documents import ItemDocument, Todo, item_document
from xget_storage.adapters.mongo_documents.writers import Writers
from xget_storage.errors import ItemNotFound
from xget_storage.models import AuditEntry, StoredItem, Takedown, fingerprint
from xget_storage.ports import Actor
from xget_storage.service.bans import Bans, emptied, is_empty

_PIECE: Final = 2000
"""Items that are looked at with one request."""
_LOOK: Final = {"author_key": 1, "author_id": 1, "platform": 1, "kind": 1, "native_id": 1, "reposted_id": 1, "json": 1}


class Takedowns:
    """`banned`, `takedowns`, `put_takedown`, `erase`, `erased`."""

    def __init__(self, database: Database, writers: Writers, changing: Changing) -> None:
        self._documents = database["takedowns"]
        self._writers = writers
        self._changing = changing

    async def banned(self) -> frozenset[str]:
        """Keys of authors who stay away."""
        return frozenset([one["_id"] async for one in self._documents.find({"active": True}, {"_id": 1})])

    async def all(self, *, pending: bool) -> list[Takedown]:
        """All of them, or those with something left to do."""
        query: Document = {"pending": True} if pending else {}
        return [_takedown(one) async for one in self._documents.find(query, sort=[("_id", 1)])]

    async def get(self, author_key: str) -> Takedown | None:
        """That of one author."""
        found = await self._documents.find_one({"_id": author_key})
        return None if found is None else _takedown(found)

    async def put(self, given: Takedown) -> bool:
        """Store it if nobody else has since it was read."""
        document = takedown_document(msgspec.structs.replace(given, v=given.v + 1))
        if given.v:
            query = {"_id": given.author_key, "v": given.v}
            return bool((await self._documents.replace_one(query, document)).matched_count)
        try:
            await self._documents.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def erase(self, author_key: str, after: str | None, by: Actor) -> str | None:
        """Take an author out of some items."""
        await self._writers.authors.documents.delete_one({"_id": author_key})
        query: Document = {"shown": {"$exists": True}} | ({} if after is None else {"_id": {"$gt": after}})
        looked = self._writers.items.documents.find(query, _LOOK, sort=[("_id", 1)], limit=_PIECE)
        found = [one async for one in looked]
        await self._erase_of([one["_id"] for one in found if _may_be(one, author_key)], author_key, by)
        return found[-1]["_id"] if len(found) == _PIECE else None

    async def _erase_of(self, keys: list[str], author_key: str, by: Actor) -> None:
        loaded = await self._writers.items.load(keys)
        documents = [item_document(loaded[key]) for key in keys if key in loaded]
        bans = Bans([author_key])
        for document in documents:
            if document.item is not None and bans.is_theirs(document.item):
                await self._take_down(document.key, author_key, by)
        copies = [one for one in documents if one.item is not None and not bans.is_theirs(one.item)]
        taken = await self._taken({_original(one.item) for one in copies if one.item}, author_key)
        for document in copies:
            item = document.item
            if item is not None and (bans.is_copy(item) or _original(item) in taken) and not is_empty(item):
                await self._empty(document.key, author_key, by)

    async def _taken(self, keys: Iterable[str], author_key: str) -> set[str]:
        """Those of these items that were taken down with this author."""
        found = await self._writers.items.load(sorted(keys))
        return {key for key, one in found.items() if one.get("forgotten") == author_key and "shown" not in one}

    async def _take_down(self, key: str, author_key: str, by: Actor) -> None:
        try:
            await self._changing.delete(key, None, by, taken_down=author_key)
        except ItemNotFound:
            return  # somebody else was faster

    async def _empty(self, key: str, author_key: str, by: Actor) -> None:
        def empty(document: ItemDocument, item: StoredItem) -> Todo:
            before = fingerprint(item)
            left = emptied(item)
            left.edits = {}
            left.rev = item.rev + 1
            document.item, document.forgotten = left, author_key
            note = AuditEntry(
                key=key, action="edit", actor=by.user_id, at=by.at, before=before, after=fingerprint(left),
                fields=["text"],
            )  # fmt: skip
            return Todo(note=note, rev=left.rev)

        try:
            await self._changing.change(key, None, empty)
        except ItemNotFound:
            return  # deleted meanwhile

    async def erased(self, author_key: str) -> tuple[int, int]:
        """Items taken down, reposts emptied."""
        items = self._writers.items.documents
        deleted = await items.count_documents({"forgotten": author_key, "shown": {"$exists": False}})
        return deleted, await items.count_documents({"forgotten": author_key, "shown": {"$exists": True}})

    async def sweep(self, pages: Iterable[PageParsed], late: frozenset[str]) -> None:
        """Take authors out of what pages have just written."""
        shown = {item.key for page in pages for item in page.items}
        for takedown in [one for one in await self.all(pending=False) if one.author_key in late]:
            by = actor_of(takedown)
            await self._writers.authors.documents.delete_one({"_id": takedown.author_key})
            await self._erase_of(sorted(shown), takedown.author_key, by)


def actor_of(takedown: Takedown) -> Actor:
    """Who asked for it last, and when."""
    return Actor(user_id=takedown.notes[-1].actor, at=takedown.notes[-1].at)


def takedown_document(takedown: Takedown) -> Document:
    """As it is stored."""
    known = {"_id": takedown.author_key, "v": takedown.v, "active": takedown.active, "pending": takedown.pending}
    return {**known, "takedown": msgspec.to_builtins(takedown)}


def _takedown(document: Mapping[str, Any]) -> Takedown:
    return msgspec.convert(document["takedown"], Takedown)


def _original(item: StoredItem) -> str:
    return f"{item.platform}:{item.reposted_id}"


def _may_be(look: Mapping[str, Any], author_key: str) -> bool:
    """Whether an item is worth loading: what is packed as JSON tells nothing from outside."""
    named = f"{look.get('platform')}:{look.get('author_id')}", f"{look.get('platform')}:{look.get('native_id')}"
    return "json" in look or "reposted_id" in look or look.get("author_key") == author_key or author_key in named
