"""Takedowns of another store. All that are active begin anew here: what was brought may hold what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_storage.adapters.mongo.writing import Operation, Writer
from xget_storage.adapters.mongo_documents.takedowns import takedown_document
from xget_storage.models import Takedown
from xget_storage.schemas.archive import ArchivedTakedown, canonical


@dataclass(slots=True)
class TakedownImport:
    """One takedown on its way in."""

    id: str
    record: ArchivedTakedown

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The takedown, or the notes of both stores; the last one says whether the author stays away."""
        if known is None:
            return InsertOne(takedown_document(_anew(self.record.takedown, 1)))
        mine = archived_takedown(known)
        notes = {msgspec.json.encode(note): note for note in (*mine.takedown.notes, *self.record.takedown.notes)}
        ordered = sorted(notes.values(), key=lambda note: (note.at, note.action))
        state = "running" if ordered[-1].action == "forget" else "lifted"
        merged = msgspec.structs.replace(mine.takedown, notes=ordered, state=state)
        if canonical(ArchivedTakedown(takedown=merged)) == canonical(mine):
            return None
        document = takedown_document(_anew(merged, known["v"] + 1))
        return ReplaceOne({"_id": self.id, "v": known["v"]}, document)


def archived_takedown(document: Mapping[str, Any]) -> ArchivedTakedown:
    """What a document says."""
    return ArchivedTakedown(takedown=msgspec.convert(document["takedown"], Takedown))


async def sweep_again(takedowns: Writer) -> None:
    """Let all that are active begin anew."""
    async for one in takedowns.documents.find({"active": True}):
        takedown = archived_takedown(one).takedown
        document = takedown_document(_anew(takedown, one["v"] + 1))
        await takedowns.documents.replace_one({"_id": one["_id"], "v": one["v"]}, document)


def _anew(takedown: Takedown, version: int) -> Takedown:
    state = "running" if takedown.active else takedown.state
    return msgspec.structs.replace(takedown, state=state, pending=True, stage="announce", after=None, v=version)
