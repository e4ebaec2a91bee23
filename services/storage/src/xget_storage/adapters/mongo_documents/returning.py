"""Items that went with their author, and may be collected again since the ban was lifted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo_documents.documents import item_document
from xget_storage.adapters.mongo_documents.items import Return
from xget_storage.adapters.mongo_documents.writers import Writers
from xget_storage.models import Takedown


async def returning(writers: Writers, known: Mapping[str, Document]) -> dict[str, Return]:
    """Those of the known tombstones that a page may bring back, by key. Asks for nothing when there are none."""
    gone = {key: one["forgotten"] for key, one in known.items() if "shown" not in one and one.get("forgotten")}
    if not gone:
        return {}
    lifted = await _lifted(writers, set(gone.values()))
    back = {key: author for key, author in gone.items() if author in lifted}
    if not back:
        return {}
    deleted: dict[str, set[str]] = {
        key: {todo.owner for todo in item_document(known[key]).todo if todo.owner and todo.note.action == "delete"}
        for key in back
    }
    by_owner = {"k": {"$in": list(back)}, "action": "delete", "owner": {"$exists": True}}
    async for one in writers.audit.documents.find(by_owner, {"k": 1, "owner": 1}):
        deleted[one["k"]].add(one["owner"])
    return {key: Return(author, lifted[author], frozenset(deleted[key])) for key, author in back.items()}


async def _lifted(writers: Writers, authors: set[str]) -> dict[str, datetime]:
    documents = await writers.takedowns.load(sorted(authors))
    takedowns = [msgspec.convert(one["takedown"], Takedown) for one in documents.values()]
    return {one.author_key: one.notes[-1].at for one in takedowns if not one.active}
