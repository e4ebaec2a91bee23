"""Lists of items, each from an index."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from xget_kernel.pages import bad_cursor
from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo.encoding import micros, moment
from xget_storage.adapters.mongo.writing import Writer
from xget_storage.adapters.mongo_documents.documents import ItemDocument, item_document, list_name, stored_item
from xget_storage.adapters.mongo_documents.executions import Executions
from xget_storage.models import Role, Sighted, StoredItem
from xget_storage.ports import ItemFilter, ItemPage, SightedPage

_LARGEST: Final = 2**63 - 1
_NEWEST: Final = [("shown.at", -1), ("_id", -1)]
_PIECE: Final = 200
_NOTHING: Final[Document] = {"_id": {"$in": []}}


class Reading:
    """`find` and `sighted`."""

    def __init__(self, items: Writer, sightings: Writer, executions: Executions) -> None:
        self._items = items
        self._sightings = sightings
        self._executions = executions

    async def scan(self, after: str | None, size: int) -> dict[str, StoredItem | int]:
        """Items by key, tombstones as revisions."""
        query: Document = {} if after is None else {"_id": {"$gt": after}}
        found = self._items.documents.find(query, sort=[("_id", 1)], limit=size)
        documents = [item_document(one) async for one in found]
        return {one.key: one.item or one.rev for one in documents}

    async def versions(self, first: str, owner: str | None) -> list[StoredItem]:
        """A post and its later versions that are there and that `owner` has, in no order."""
        chosen: Document = {"$or": [{"_id": first}, {"first": first}]}
        found = [item_document(one).visible_to(owner) async for one in self._items.documents.find(chosen)]
        return [item for item in found if item is not None]

    async def find(self, wanted: ItemFilter, size: int, offset: int, after: Sequence[Any] | None) -> ItemPage:
        """Items newest first."""
        chosen = await self.selection(wanted)
        documents = self._items.documents
        total = await documents.count_documents(chosen) if after is None else 0
        queries = [chosen] if after is None else _after(chosen, after)
        if after is None and offset >= total:
            return ItemPage(items=[], total=total, cursor=None)
        rows: list[Document] = []
        for query in queries:
            if len(rows) <= size:
                left = size + 1 - len(rows)
                rows += [one async for one in documents.find(query, sort=_NEWEST, skip=offset, limit=left)]
        more = len(rows) > size
        rows = rows[:size]
        cursor = [rows[-1]["shown"]["at"], rows[-1]["_id"]] if more else None
        items = [item for row in rows if (item := stored_item(row)) is not None]
        return ItemPage(items=items, total=total, cursor=cursor)

    async def selection(self, wanted: ItemFilter) -> Document:
        """A filter by items' own fields; those of an execution are named one by one."""
        chosen: Document = {"shown.at": _times(wanted)}
        if wanted.owner is not None and wanted.task_id is None:
            chosen["owners"] = wanted.owner
        if wanted.execution_id is not None:
            keys = await self._keys(wanted)
            if keys is None:
                return _NOTHING
            chosen["_id"] = {"$in": keys}
        elif wanted.task_id is not None:
            chosen |= await self._of_task(wanted, wanted.role)
        if wanted.author is not None:
            chosen["shown.author"] = wanted.author.casefold()
        for name in ("lang", "kind", "platform"):
            if (value := getattr(wanted, name)) is not None:
                chosen[f"shown.{name}"] = value
        if wanted.has_media is not None:
            chosen["shown.media"] = wanted.has_media
        return chosen

    async def _keys(self, wanted: ItemFilter) -> list[str] | None:
        query = await self._of_execution(wanted)
        if query is None:
            return None
        found = self._sightings.documents.find(query, {"_id": 0, "k": 1, "m": 1})
        return [one["k"] async for one in found if wanted.role in (None, _role(one))]

    async def _of_execution(self, wanted: ItemFilter) -> Document | None:
        """Sightings of the execution that are listed; None when it is not one that is asked for."""
        run = await self._executions.get(wanted.execution_id or "")
        if run is None or wanted.owner not in (None, run.owner) or wanted.task_id not in (None, run.task):
            return None
        return {"e": wanted.execution_id}

    async def sighted(self, wanted: ItemFilter, size: int, after: int, counted: bool) -> SightedPage:
        """Items of a task or execution, oldest sighting first."""
        by_execution = wanted.execution_id is not None
        query = await self._of_execution(wanted) if by_execution else {"ft": wanted.task_id}
        if query is None:
            return SightedPage(items=[], total=0, matched=0, cursor=None)
        listing = self._listed(query, wanted, size, after)
        if not counted:
            total, matched, found = 0, 0, await listing
        else:
            counting = self._count(query) if by_execution else self._count_task(wanted)
            (total, matched), found = await asyncio.gather(counting, listing)
        cursor = found[size - 1].seq if len(found) > size else None
        return SightedPage(items=found[:size], total=total, matched=matched, cursor=cursor)

    async def _listed(self, query: Document, wanted: ItemFilter, size: int, after: int) -> list[Sighted]:
        """One more than `size`, if there are."""
        found: list[Sighted] = []
        place: int | None = min(after, _LARGEST)
        while place is not None and len(found) <= size:
            piece, place = await self._piece(query, wanted.owner, place, size + 1 if wanted.role is None else _PIECE)
            found += [one for one in piece if wanted.role in (None, one.role)]
        return found

    async def _count(self, query: Document) -> tuple[int, int]:
        answers = {"$cond": [{"$gt": ["$m", None]}, 1, 0]}
        group = {"$group": {"_id": None, "total": {"$sum": 1}, "matched": {"$sum": answers}}}
        found = await (await self._sightings.documents.aggregate([{"$match": query}, group])).to_list()
        return (found[0]["total"], found[0]["matched"]) if found else (0, 0)

    async def _count_task(self, wanted: ItemFilter) -> tuple[int, int]:
        documents = self._items.documents
        lists = [await self._of_task(wanted, role) for role in (None, "match")]
        total, matched = await asyncio.gather(*(documents.count_documents(one) for one in lists))
        return total, matched

    async def _of_task(self, wanted: ItemFilter, role: Role | None) -> Document:
        task = wanted.task_id or ""
        owners = [wanted.owner] if wanted.owner is not None else await self._executions.owners_of(task)
        names = [list_name(task, owner, role) for owner in owners]
        return {"lists": names[0] if len(names) == 1 else {"$in": names}}

    async def _piece(
        self, query: Document, owner: str | None, after: int, size: int
    ) -> tuple[list[Sighted], int | None]:
        """Some sightings with their items, and where the next ones begin; None when there are none."""
        rows = self._sightings.documents.find({**query, "s": {"$gt": after}}, sort=[("s", 1)], limit=size)
        sights = [one async for one in rows]
        items = await self._items.load(list({one["k"] for one in sights}))
        found = [
            sighted
            for one in sights
            if one["k"] in items
            and owner in (None, one["o"])
            and (sighted := _sighted(one, item_document(items[one["k"]]), "ft" not in query))
        ]
        return found, sights[-1]["s"] if len(sights) == size else None


def _sighted(sight: Document, document: ItemDocument, by_execution: bool) -> Sighted | None:
    item: StoredItem | None = document.visible_to(sight["o"])
    entry = document.task(sight["t"], sight["o"])
    if item is None or entry is None:
        return None
    return Sighted(
        seq=sight["s"],
        item=item,
        role=_role(sight) if by_execution else "match" if entry.m else "context",
        execution_id=sight["e"],
        seen_at=moment(sight["at"]),
    )


def _role(sight: Document) -> Role:
    return "match" if "m" in sight else "context"


def _times(wanted: ItemFilter) -> Document:
    times: Document = {"$gte": -_LARGEST if wanted.since is None else micros(wanted.since)}
    if wanted.until is not None:
        times["$lt"] = micros(wanted.until)
    return times


def _after(chosen: Document, after: Sequence[Any]) -> list[Document]:
    """What comes behind a cursor: the rest of its moment, then older ones. Each is a range of an index."""
    match after:
        case [int(at), str(key)] if abs(at) <= _LARGEST:
            times = chosen.get("shown.at", {"$gte": at})
            older = {**chosen, "shown.at": {**times, "$lt": min(at, times.get("$lt", at))}}
            if not times["$gte"] <= at < times.get("$lt", _LARGEST):
                return [older]
            return [{**chosen, "shown.at": at, "_id": {**chosen.get("_id", {}), "$lt": key}}, older]
    raise bad_cursor()
