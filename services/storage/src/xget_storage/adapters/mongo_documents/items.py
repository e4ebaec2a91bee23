"""What a batch makes of one item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from pymongo import InsertOne, ReplaceOne

from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.delivery import Delivery
from xget_storage.adapters.mongo_documents.documents import ItemDocument, Mark, TaskEntry, item_document
from xget_storage.models import StoredItem
from xget_storage.service.merging import first_sight, merge_item
from xget_storage.service.occurrences import Occurrence

_NOT_SEEN: Final = 2**31


class Verdict(NamedTuple):
    """What a page was for the item: its first sight, a change; whether its execution is the first of the task."""

    fresh: bool
    changed: bool
    first: bool


class Return(NamedTuple):
    """An author whose ban was lifted, since when, and the owners who had deleted the item before it went with them."""

    author: str
    since: datetime
    deleted: frozenset[str]


@dataclass(slots=True)
class ItemWork:
    """Merges all pages of a batch that show an item. `sighted` are the executions that have its sighting already, each
    with the page of it.

    A page that changes a known item leaves a mark in the same write, so a repetition after a crash finds the same
    verdict. `verdicts` has no entry for a page whose owner deleted the item.
    """

    id: str
    shows: Sequence[tuple[Delivery, Occurrence]]
    sighted: Mapping[str, int]
    back: Return | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    item: StoredItem | None = None

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The document with all pages in it."""
        document = None if known is None else item_document(known)
        before = _state(document)
        self.verdicts = {}
        sighted = dict(self.sighted)
        for delivery, occurrence in self.shows:
            if document is not None and not self._takes(document, delivery):
                continue  # a tombstone wins
            first = sighted.get(delivery.page.execution_id, _NOT_SEEN)
            document = self._show(document, delivery, occurrence, first)
            sighted[delivery.page.execution_id] = min(first, delivery.page.page_no)
        self.item = document.item if document else None
        if document is None or _state(document) == before:
            return None
        packed = document.packed()
        return ReplaceOne({"_id": self.id, "v": document.v}, packed) if document.v else InsertOne(packed)

    def _takes(self, document: ItemDocument, delivery: Delivery) -> bool:
        """Whether what a page shows is stored. What went with its author comes back when they may be collected."""
        page, back = delivery.page, self.back
        if document.item is not None:
            return page.owner_id not in document.hidden
        if back is None or document.forgotten != back.author or page.fetched_at < back.since:
            return False
        if page.owner_id in back.deleted:
            return False
        document.hidden = [owner for owner in document.hidden if owner in back.deleted]
        document.forgotten = None
        return True

    def _show(
        self, document: ItemDocument | None, delivery: Delivery, occurrence: Occurrence, first: int
    ) -> ItemDocument:
        page = delivery.page
        shown = occurrence.shown
        if document is None:
            document = ItemDocument(key=self.id, item=None, rev=0)
        if document.item is None:
            document.item = first_sight(shown[0], page, rev=1 + document.rev)
            shown = shown[1:]
        item = document.item
        assert item is not None  # noqa: S101 - the caller leaves tombstones out
        mark = next((one for one in document.marks if one.p == delivery.id and one.d == delivery.digest), None)
        changed = mark.c if mark else False
        if mark is None:
            for seen in shown:
                changed |= merge_item(item, seen, page)
        fresh = item.first_execution == page.execution_id and item.first_page == page.page_no
        again = changed and len(occurrence.shown) > 1  # shown in two forms: merging both again would change it again
        if mark is None and (again or (not fresh and page.page_no < first)):
            document.marks.append(Mark(p=delivery.id, d=delivery.digest, c=changed))
        entry = document.task(page.task_id, page.owner_id)
        if entry is None:
            entry = TaskEntry(t=page.task_id, o=page.owner_id, e=page.execution_id, m=False)
            document.tasks.append(entry)
        entry.m |= occurrence.match
        self.verdicts[delivery.id] = Verdict(fresh, changed, entry.e == page.execution_id)
        return document


def _state(document: ItemDocument | None) -> tuple[object, ...] | None:
    """Differs when the document has to be written."""
    if document is None or document.item is None:
        return None
    item = document.item
    answers = sum(entry.m for entry in document.tasks)
    times = (item.first_seen, item.last_seen, item.content_at)
    return item.rev, item.first_page, *times, len(document.tasks), answers, len(document.marks)
