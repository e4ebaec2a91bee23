"""Raw pages in MongoDB: a document each, and chunks of those that are larger than a document should be.

Chunks are written before their page, under names of their content: after kill -9 between two writes the page is either
the one before or the new one, whole. Chunks that a crash left without a page go with retention like all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from pymongo import ReplaceOne

from xget_storage.adapters.mongo import layout
from xget_storage.adapters.mongo.client import Document, MongoServer
from xget_storage.adapters.mongo.encoding import micros
from xget_storage.adapters.mongo.errors import answering
from xget_storage.adapters.mongo.layout import NUMBER, TEXT, Collection, Index
from xget_storage.models import RawPage

CHUNK: Final = 8 * 1024 * 1024
_REQUEST: Final = 16 * 1024 * 1024
"""Bytes of bodies per request: well below the server's 48 MB."""
_PIECE: Final = 500
_STORED: Final = Index("stored", (("stored", 1),))
_TYPES: Final[dict[str, dict[str, Any]]] = {"_id": TEXT, "stored": NUMBER, "body": {"bsonType": "binData"}}

LAYOUT: Final = (
    Collection("raw_pages", (_STORED,), ("_id", "stored", "about"), _TYPES),
    Collection("raw_chunks", (_STORED,), ("_id", "stored", "body"), _TYPES),
)


class MongoRawPages:
    """`RawPageStore` on MongoDB; see the port for what each method promises."""

    def __init__(self, server: MongoServer, *, chunk: int = CHUNK) -> None:
        self._server = server
        self._chunk = chunk
        self._pages = server.database["raw_pages"]
        self._chunks = server.database["raw_chunks"]

    async def open(self) -> None:
        """Make collections and indexes that are missing. Raises StartupError when they cannot be as they have to be."""
        await layout.apply(self._server, LAYOUT)

    async def put(self, pages: Sequence[RawPage], now: datetime) -> None:
        newest = {_id(page.execution_id, page.page_no): page for page in pages}
        documents: list[Document] = []
        room = _REQUEST
        with answering():
            for id_, page in newest.items():
                documents.append(await self._document(id_, page, micros(now)))
                room -= len(page.body_zstd)
                if room <= 0:
                    await self._write(documents)
                    documents, room = [], _REQUEST
            await self._write(documents)

    async def _document(self, id_: str, page: RawPage, stored: int) -> Document:
        about = msgspec.to_builtins(msgspec.structs.replace(page, body_zstd=b""))
        del about["body_zstd"]
        document: Document = {"_id": id_, "stored": stored, "about": about}
        if len(page.body_zstd) <= self._chunk:
            return {**document, "body": page.body_zstd}
        document["chunks"] = chunks = []
        for start in range(0, len(page.body_zstd), self._chunk):
            body = page.body_zstd[start : start + self._chunk]
            name = f"{id_}#{blake2b(body, digest_size=16).hexdigest()}"
            chunk = {"_id": name, "stored": stored, "body": body}
            await self._chunks.replace_one({"_id": name}, chunk, upsert=True)
            chunks.append(name)
        return document

    async def _write(self, documents: Sequence[Document]) -> None:
        if documents:
            operations = [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents]
            await self._pages.bulk_write(operations, ordered=False)

    async def get(self, execution_id: str, page_no: int) -> RawPage | None:
        with answering():
            found = await self._pages.find_one({"_id": _id(execution_id, page_no)})
            return None if found is None else await self._whole(found)

    async def _whole(self, found: Document) -> RawPage | None:
        body = found.get("body")
        if body is None:
            ids = found["chunks"]
            chunks = {one["_id"]: one["body"] async for one in self._chunks.find({"_id": {"$in": ids}})}
            if len(chunks) < len(set(ids)):
                return None  # retention drops it in this moment
            body = b"".join(chunks[id_] for id_ in ids)
        return msgspec.convert({**found["about"], "body_zstd": bytes(body)}, RawPage)

    async def scan(self, after: str | None, size: int) -> tuple[list[RawPage], str | None]:
        query: Document = {} if after is None else {"_id": {"$gt": after}}
        with answering():
            rows = [one async for one in self._pages.find(query, sort=[("_id", 1)], limit=size, batch_size=size + 1)]
            pages = [page for one in rows if (page := await self._whole(one)) is not None]
        return pages, rows[-1]["_id"] if len(rows) == size else None

    async def replace(self, page: RawPage, sha256: str) -> bool:
        id_ = _id(page.execution_id, page.page_no)
        with answering():
            found = await self._pages.find_one({"_id": id_, "about.sha256": sha256}, {"stored": 1, "chunks": 1})
            if found is None:
                return False
            document = await self._document(id_, page, found["stored"])
            done = await self._pages.replace_one({"_id": id_, "about.sha256": sha256}, document)
            left = [name for name in found.get("chunks", ()) if name not in document.get("chunks", ())]
            if done.matched_count and left:
                await self._chunks.delete_many({"_id": {"$in": left}})
            return bool(done.matched_count)

    async def drop_before(self, moment: datetime) -> int:
        dropped = 0
        with answering():
            for documents in (self._pages, self._chunks):
                while ids := await self._old(documents, micros(moment)):
                    result = await documents.delete_many({"_id": {"$in": ids}, "stored": {"$lt": micros(moment)}})
                    if documents is self._pages:
                        dropped += result.deleted_count
        return dropped

    async def _old(self, documents: Any, before: int) -> list[str]:
        found = documents.find({"stored": {"$lt": before}}, {"_id": 1}, limit=_PIECE)
        return [one["_id"] async for one in found]

    async def close(self) -> None:
        """Nothing of its own to close."""


def _id(execution_id: str, page_no: int) -> str:
    return f"{execution_id}/{page_no}"
