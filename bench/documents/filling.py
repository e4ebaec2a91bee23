"""Many documents in less time than storing takes: copies of those that were stored, under other names."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from typing import Any

from pymongo import InsertOne

from bench.documents.recording import renamed
from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents.schema import ALL

PIECE = 1000
APART = 10**12
"""Microseconds between copies of an item: twelve days, so that they are spread over the index by time too."""


async def fill(server: MongoServer, items: int, until: float) -> int:
    """Copy until there are so many items, or the time is over; how many there are.

    Every copy of an item brings those of its sightings, author and page. Copies are under tasks of their own.
    """
    kept = {one.name: [found async for found in server.database[one.name].find()] for one in ALL}
    stored = len(kept["items"])
    for number in count(1):
        share = min(1.0, (items - stored) / len(kept["items"]))
        if share <= 0 or time.perf_counter() >= until:
            return stored
        for name, documents in kept.items():
            copies = [_copy(one, number) for one in documents[: round(len(documents) * share)]]
            for start in range(0, len(copies), PIECE):
                piece = [InsertOne(copy) for copy in copies[start : start + PIECE]]
                await server.database[name].bulk_write(piece, ordered=False, bypass_document_validation=True)
        stored += round(len(kept["items"]) * share)
    raise AssertionError("counting ends")


def _copy(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    copy = renamed(document, f"{number:03}:")
    if "lists" in copy:
        copy["lists"] = [f"{number:03}:{name}" for name in copy["lists"]]
    if "ft" in copy:
        copy["ft"] = f"{number:03}:{copy['ft']}"
    if "shown" in copy:
        copy["shown"] = {**copy["shown"], "at": copy["shown"]["at"] - number * APART}
    return copy
