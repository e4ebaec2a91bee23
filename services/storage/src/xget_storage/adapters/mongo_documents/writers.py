"""The collections that a batch writes."""

from __future__ import annotations

from dataclasses import dataclass

from xget_storage.adapters.mongo.client import Database
from xget_storage.adapters.mongo.writing import Writer


@dataclass(slots=True, frozen=True)
class Writers:
    """One for each collection."""

    items: Writer
    sightings: Writer
    authors: Writer
    pages: Writer
    audit: Writer
    takedowns: Writer

    @classmethod
    def of(cls, database: Database, batch: int) -> Writers:
        """Writers of at most `batch` operations per request.

        Sightings go in order, so that a list that is read while it grows never misses what comes in before its end.
        """
        names = ("items", "sightings", "authors", "pages", "audit", "takedowns")
        return cls(*(Writer(database[name], batch, ordered=name == "sightings") for name in names))
