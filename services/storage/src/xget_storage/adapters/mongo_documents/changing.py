"""Changes by people: always audited, and never undone by a collection.

The item is replaced at once, with a note of what has still to follow it (`todo`): its history, and lists that lose it.
That is done right after, and by the next `unindexed` when a crash came between.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from pymongo import InsertOne

from xget_storage.adapters.mongo.errors import unavailable
from xget_storage.adapters.mongo.writing import Operation, Writer
from xget_storage.adapters.mongo_documents.documents import ItemDocument, Todo, item_document
from xget_storage.adapters.mongo_documents.executions import Executions
from xget_storage.adapters.mongo_documents.forgetting import forget
from xget_storage.errors import ItemChanged, ItemShared, no_such_item
from xget_storage.models import AuditEntry, StoredItem, fingerprint
from xget_storage.ports import Actor

_TRIES: Final = 60


class _New:
    """An item that a user brings; who loses found the key taken."""

    def __init__(self, item: StoredItem, actor: str) -> None:
        self.id = item.key
        note = AuditEntry(
            key=item.key, action="create", actor=actor, at=item.first_seen, before=None, after=fingerprint(item)
        )
        todo = Todo(note=note, rev=item.rev, owner=actor)
        self.document = ItemDocument(key=item.key, item=item, todo=[todo], unindexed=item.rev)

    def plan(self, known: Any) -> Operation | None:
        """The item."""
        return None if known else InsertOne(self.document.packed())


class Changing:
    """`add`, `edit`, `delete`, `audit`, `unindexed`, `indexed`."""

    def __init__(self, items: Writer, sightings: Writer, audits: Writer, executions: Executions) -> None:
        self._items = items
        self._sightings = sightings
        self._audits = audits
        self._executions = executions

    async def add(self, items: Sequence[StoredItem], actor: str) -> list[bool]:
        """Store new items; False for each whose key is taken."""
        first = {item.key: place for place, item in reversed(list(enumerate(items)))}
        works = [_New(items[place], actor) for place in sorted(first.values())]
        known = await self._items.load([work.id for work in works])
        planned = [(work, plan) for work in works if (plan := work.plan(known.get(work.id))) is not None]
        lost = {work.id for work in await self._items.write(planned)}
        added = {work.id for work, _ in planned} - lost
        for work, _ in planned:
            if work.id in added:
                work.document.v = 1
                await self._finish(work.document)
        return [item.key in added and first[item.key] == place for place, item in enumerate(items)]

    async def edit(
        self, key: str, owner: str | None, edits: dict[str, Any], *, rev: int | None, by: Actor
    ) -> StoredItem:
        """Put edits over an item."""

        def put(document: ItemDocument, item: StoredItem) -> Todo:
            if owner is not None and set(item.seen_by) != {owner}:
                raise ItemShared("Other people have this item too, so only an administrator can edit it.")
            if rev is not None and rev != item.rev:
                raise ItemChanged(f"The item is at revision {item.rev} now: read it again and repeat the change.")
            before = fingerprint(item)
            merged = {**item.edits, **edits}
            item.edits = {name: value for name, value in merged.items() if value is not None}
            item.rev += 1
            note = AuditEntry(
                key=key, action="edit", actor=by.user_id, at=by.at, before=before, after=fingerprint(item),
                fields=sorted(edits),
            )  # fmt: skip
            return Todo(note=note, rev=item.rev, owner=owner)

        item = (await self.change(key, owner, put)).item
        if item is None:
            raise no_such_item(key)
        return item

    async def delete(self, key: str, owner: str | None, by: Actor, *, taken_down: str | None = None) -> None:
        """Take an item from one owner, or from all; `taken_down` names the author with whom it goes."""

        def take(document: ItemDocument, item: StoredItem) -> Todo:
            before = fingerprint(item)
            leaving = list(item.seen_by) if owner is None else [owner]
            for name in leaving:
                del item.seen_by[name]
            forgotten = [(entry.o, entry.t) for entry in document.tasks if entry.o in leaving]
            document.tasks = [entry for entry in document.tasks if entry.o not in leaving]
            document.hidden += leaving
            item.rev += 1
            document.rev = item.rev
            document.item = item if item.seen_by else None
            document.forgotten = taken_down or document.forgotten
            after = fingerprint(item) if item.seen_by else None
            note = AuditEntry(key=key, action="delete", actor=by.user_id, at=by.at, before=before, after=after)
            return Todo(note=note, rev=item.rev, owner=owner, forget=forgotten)

        await self.change(key, owner, take)

    async def change(
        self, key: str, owner: str | None, change: Callable[[ItemDocument, StoredItem], Todo]
    ) -> ItemDocument:
        """Replace an item at once by what `change` makes of it, and what follows. Raises ItemNotFound."""
        for attempt in range(_TRIES):
            found = (await self._items.load([key])).get(key)
            document = None if found is None else item_document(found)
            item = None if document is None else document.visible_to(owner)
            if document is None or item is None:
                raise no_such_item(key)
            todo = change(document, item)
            document.todo.append(todo)
            document.unindexed = todo.rev
            if await self._replace(document):
                await self._finish(document)
                return document
            await asyncio.sleep(random.random() * min(0.1, 0.002 * 2**attempt))
        raise unavailable("is written to by too many at once")

    async def _replace(self, document: ItemDocument) -> bool:
        """Write a document if nobody else has since it was read. False when somebody has."""
        packed = document.packed()
        result = await self._items.documents.replace_one({"_id": document.key, "v": document.v}, packed)
        document.v += 1
        return bool(result.matched_count)

    async def _finish(self, document: ItemDocument) -> None:
        """Do what is still to do for an item; again is fine."""
        for todo in document.todo:
            entry: dict[str, Any] = {"k": document.key, "n": todo.rev, "action": todo.note.action}
            entry |= {"note": msgspec.to_builtins(todo.note)} | ({} if todo.owner is None else {"owner": todo.owner})
            await self._audits.documents.update_one(
                {"_id": f"{document.key}#{todo.rev}"}, {"$setOnInsert": entry}, upsert=True
            )
            for owner, task in todo.forget:
                executions = await self._executions.of_task(task, owner)
                await forget(self._sightings, [f"{execution}:{document.key}" for execution in executions])
        done = [todo.rev for todo in document.todo]
        if done:
            update = {"$pull": {"todo": {"rev": {"$in": done}}}, "$inc": {"v": 1}}
            await self._items.documents.update_one({"_id": document.key}, update)

    async def audit(self, key: str, owner: str | None) -> list[AuditEntry]:
        """Changes of an item that `owner` may see."""
        found = (await self._items.load([key])).get(key)
        document = None if found is None else item_document(found)
        if document is None:
            raise no_such_item(key)
        if owner is not None and owner not in document.hidden and document.visible_to(owner) is None:
            raise no_such_item(key)
        notes = {todo.rev: todo.note for todo in document.todo if owner is None or todo.owner in (None, owner)}
        async for one in self._audits.documents.find({"k": key}):
            if owner is None or one.get("owner") in (None, owner):
                notes[one["n"]] = msgspec.convert(one["note"], AuditEntry)
        return [notes[rev] for rev in sorted(notes)]

    async def unindexed(self, size: int) -> dict[str, StoredItem | int]:
        """What search has still to take over; finishes what a crash left."""
        waiting: dict[str, StoredItem | int] = {}
        async for one in self._items.documents.find({"unindexed": {"$exists": True}}, limit=size):
            document = item_document(one)
            if document.todo:
                await self._finish(document)
            waiting[document.key] = document.item or document.rev
        return waiting

    async def indexed(self, revs: dict[str, int]) -> None:
        """Search has these."""
        for key, rev in revs.items():
            update = {"$unset": {"unindexed": ""}, "$inc": {"v": 1}}
            await self._items.documents.update_one({"_id": key, "unindexed": {"$lte": rev}}, update)
