"""Bare writes: what a batch of ours left in its database, into another one."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne

from xget_storage.adapters.mongo import MongoServer
from xget_storage.adapters.mongo_documents.schema import ALL

Operation = InsertOne[Any] | ReplaceOne[Any]
RAW = CodecOptions(document_class=RawBSONDocument)


class Copy:
    """Remembers what was written already, so that the next look finds only what is new or changed."""

    def __init__(self, server: MongoServer) -> None:
        self._server = server
        self._known: dict[tuple[str, str], bytes] = {}

    async def changes(self) -> dict[str, list[Operation]]:
        """What makes of the last look's documents those of now, by collection; ready dicts."""
        found: dict[str, list[Operation]] = {}
        for collection in ALL:
            documents = self._server.database[collection.name].with_options(RAW)
            operations = [change async for one in documents.find() if (change := self._change(collection.name, one))]
            if operations:
                found[collection.name] = operations
        return found

    def _change(self, name: str, document: RawBSONDocument) -> Operation | None:
        place = (name, document["_id"])
        before, now = self._known.get(place), _digest(document)
        if before == now:
            return None
        self._known[place] = now
        ready = bson.decode(document.raw)
        return InsertOne(ready) if before is None else ReplaceOne({"_id": ready["_id"]}, ready)

    async def check(self, other: MongoServer) -> None:
        """The other database has exactly these documents, byte by byte."""
        left = dict(self._known)
        for collection in ALL:
            async for one in other.database[collection.name].with_options(RAW).find():
                assert left.pop((collection.name, one["_id"]), None) == _digest(one), "bare wrote something else"
        assert not left, f"{len(left)} documents are missing"


def _digest(document: RawBSONDocument) -> bytes:
    return blake2b(document.raw, digest_size=16).digest()
