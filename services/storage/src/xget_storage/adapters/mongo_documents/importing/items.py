"""Items of another store: inserted, or merged by the rules of collecting. Who deleted an item does not get it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.documents import ItemDocument, TaskEntry, item_document
from xget_storage.models import StoredItem
from xget_storage.schemas.archive import ArchivedItem, ArchivedTask, canonical
from xget_storage.service.merging import merge_stored


@dataclass(slots=True)
class ItemImport:
    """One item on its way in."""

    id: str
    record: ArchivedItem

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The item, or what both stores know of it."""
        if known is None:
            record = self.record
            document = ItemDocument(
                key=record.key,
                item=record.item,
                rev=record.rev,
                tasks=_entries(record),
                hidden=list(record.hidden),
                forgotten=record.forgotten,
            )
            return InsertOne(document.packed())
        document = item_document(known)
        before = _content(document)
        _merge(document, self.record)
        if _content(document) == before:
            return None
        rev = max(document.rev, self.record.rev) + 1
        document.rev = rev
        if document.item is not None:
            document.item.rev = rev
        document.unindexed = rev
        return ReplaceOne({"_id": self.id, "v": document.v}, document.packed())


def archived_item(document: Mapping[str, Any]) -> ArchivedItem:
    """What a document says, without notes of changes under way."""
    return _archived(item_document(document))


def _archived(found: ItemDocument) -> ArchivedItem:
    tasks = [ArchivedTask(task_id=one.t, owner_id=one.o, execution_id=one.e, match=one.m) for one in found.tasks]
    return ArchivedItem(
        key=found.key, rev=found.rev, item=found.item, tasks=tasks, hidden=list(found.hidden), forgotten=found.forgotten
    )


def _content(document: ItemDocument) -> bytes:
    """Differs when a merge changed something."""
    return canonical(_archived(document))


def _entries(record: ArchivedItem) -> list[TaskEntry]:
    return [TaskEntry(t=one.task_id, o=one.owner_id, e=one.execution_id, m=one.match) for one in record.tasks]


def _merge(document: ItemDocument, record: ArchivedItem) -> None:
    document.hidden += [owner for owner in record.hidden if owner not in document.hidden]
    for entry in _entries(record):
        mine = document.task(entry.t, entry.o)
        if mine is None:
            document.tasks.append(entry)
        else:
            mine.m |= entry.m
    document.tasks = [entry for entry in document.tasks if entry.o not in document.hidden]
    document.forgotten = document.forgotten or record.forgotten
    document.item = _merged(document, record.item)


def _merged(document: ItemDocument, other: StoredItem | None) -> StoredItem | None:
    item = document.item
    if item is None:
        item = msgspec.convert(msgspec.to_builtins(other), StoredItem) if other is not None else None
    elif other is not None:
        merge_stored(item, other)
    if item is None:
        return None
    item.rev = document.rev  # the revision is decided by whether anything else changed
    item.seen_by = {owner: tasks for owner, tasks in item.seen_by.items() if owner not in document.hidden}
    return item if item.seen_by else None
