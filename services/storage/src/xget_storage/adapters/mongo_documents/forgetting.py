"""Takes deleted items out of lists: their sightings stay, for counts, and are `gone`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pymongo import UpdateOne

from xget_storage.adapters.mongo.writing import Writer
from xget_storage.adapters.mongo_documents.items import ItemWork
from xget_storage.adapters.mongo_documents.sightings import SightWork
from xget_storage.adapters.mongo_documents.writers import Writers

GONE: Final = "/gone"
"""Behind the execution of a sighting that is in no list any more."""


async def forget(sightings: Writer, ids: Sequence[str]) -> None:
    """Take these sightings out of lists; again is fine."""
    for start in range(0, len(ids), sightings.batch):
        piece = [_gone(id_) for id_ in ids[start : start + sightings.batch]]
        await sightings.documents.bulk_write(piece, ordered=False)


def _gone(id_: str) -> UpdateOne:
    execution = id_.partition(":")[0]
    return UpdateOne({"_id": id_}, {"$set": {"e": execution + GONE}, "$unset": {"x": "", "ft": ""}})


async def forget_late(writers: Writers, works: dict[str, ItemWork], sights: dict[str, SightWork]) -> None:
    """Forget what was deleted while a batch was on its way.

    A deletion writes the item, its history, and then forgets the sightings that are there. Those of this batch came
    before that, and were forgotten; or after it, and then the history is seen from here. What was taken from everybody
    before the item came back is of no matter.
    """
    keys = list(works)
    for start in range(0, len(keys), writers.audit.batch):
        piece = keys[start : start + writers.audit.batch]
        found = writers.audit.documents.find({"k": {"$in": piece}}, {"k": 1, "n": 1, "owner": 1, "action": 1})
        gone = [
            (one["k"], one.get("owner"))
            async for one in found
            if one["action"] == "delete" and ("owner" in one or one["n"] > _rev(works[one["k"]]))
        ]
        ids = [
            sight.id
            for key, owner in gone
            for sight in (sights.get(f"{delivery.page.execution_id}:{key}") for delivery, _ in works[key].shows)
            if sight is not None and owner in (None, sight.shows[0][0].page.owner_id)
        ]
        if ids:
            await forget(writers.sightings, ids)


def _rev(work: ItemWork) -> int:
    return work.item.rev if work.item else 0
