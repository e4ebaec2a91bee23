"""Sightings of another store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pymongo import InsertOne, UpdateOne

from xget_contracts.items import Metrics
from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.delivery import place
from xget_storage.adapters.mongo_documents.documents import ItemDocument
from xget_storage.adapters.mongo_documents.forgetting import GONE
from xget_storage.schemas.archive import ArchivedSighting


@dataclass(slots=True)
class SightingImport:
    """One sighting on its way in: by the `n`-th execution of its task here, of an item as it is here."""

    id: str
    record: ArchivedSighting
    n: int
    item: ItemDocument | None
    tries: int = -1

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The sighting, or the page that made an answer of it."""
        record = self.record
        if known is None:
            return InsertOne(self._document())
        if "m" not in known and record.match_page is not None:
            return UpdateOne({"_id": self.id, "m": {"$exists": False}}, {"$set": {"m": record.match_page}})
        return None

    def _document(self) -> dict[str, Any]:
        self.tries += 1  # a place that another one has is left to it
        record = self.record
        document: dict[str, Any] = {
            "_id": self.id,
            "e": record.execution_id,
            "k": record.key,
            "t": record.task_id,
            "o": record.owner_id,
            "s": place(self.n, record.page_no, record.ord, self.tries),
            "p": record.page_no,
            "f": record.fresh,
            "c": record.changed,
            "at": record.seen_at,
        }
        if record.match_page is not None:
            document["m"] = record.match_page
        if record.metrics is None or self._is_gone():
            return {**document, "e": record.execution_id + GONE}
        document["x"] = msgspec.to_builtins(record.metrics)
        entry = self.item.task(record.task_id, record.owner_id) if self.item else None
        if entry is not None and entry.e == record.execution_id:
            document["ft"] = record.task_id
        return document

    def _is_gone(self) -> bool:
        return self.item is not None and self.record.owner_id in self.item.hidden


def archived_sighting(document: Mapping[str, Any]) -> ArchivedSighting:
    """What a document says."""
    return ArchivedSighting(
        execution_id=document["_id"].partition(":")[0], key=document["k"], task_id=document["t"],
        owner_id=document["o"], page_no=document["p"], match_page=document.get("m"), ord=0, seen_at=document["at"],
        fresh=bool(document["f"]), changed=bool(document["c"]),
        metrics=msgspec.convert(document["x"], Metrics) if "x" in document else None,
    )  # fmt: skip
