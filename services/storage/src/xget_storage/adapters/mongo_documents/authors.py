"""Authors: merged like items, in documents of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_contracts.events import PageParsed
from xget_contracts.items import Author
from xget_storage.adapters.mongo.encoding import pack, unpacked
from xget_storage.adapters.mongo.writing import Operation, Writer
from xget_storage.models import StoredAuthor
from xget_storage.service.merging import merge_author

_APART: Final = frozenset({"key", "rev"})


@dataclass(slots=True)
class AuthorWork:
    """Merges what the pages of a batch say of an author."""

    id: str
    shows: list[tuple[Author, datetime]] = field(default_factory=list)

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The author with all pages in it."""
        stored = None if known is None else stored_author(known)
        before = _state(stored)
        for author, fetched_at in self.shows:
            stored, _ = merge_author(stored, author, fetched_at)
        if stored is None or _state(stored) == before:
            return None
        version = 0 if known is None else int(known["v"])
        packed = pack(stored, {"_id": self.id, "v": version + 1, "rev": stored.rev}, _APART)
        return InsertOne(packed) if known is None else ReplaceOne({"_id": self.id, "v": version}, packed)


def _state(author: StoredAuthor | None) -> tuple[object, ...] | None:
    return None if author is None else (author.rev, author.first_seen, author.last_seen, author.content_at)


def stored_author(document: Mapping[str, Any]) -> StoredAuthor:
    """An author as stored."""
    fields = unpacked(document)
    fields["key"] = fields["_id"]
    return msgspec.convert(fields, StoredAuthor)


async def store_authors(writer: Writer, pages: Iterable[PageParsed]) -> None:
    """Merge the authors of pages; again is fine."""
    works: dict[str, AuthorWork] = {}
    for page in pages:
        for author in page.authors:
            work = works.setdefault(author.key, AuthorWork(author.key))
            work.shows.append((author, page.fetched_at))
    if works:
        await writer.settle(list(works.values()), await writer.load(list(works)))


async def load_authors(writer: Writer, keys: Sequence[str]) -> dict[str, StoredAuthor]:
    """Authors by key."""
    return {key: stored_author(document) for key, document in (await writer.load(keys)).items()}
