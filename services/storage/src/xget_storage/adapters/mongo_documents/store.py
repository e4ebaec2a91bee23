"""The document store on MongoDB.

What a method did is durable on return, on a majority and on disk. After kill -9 of this process, or of the server, at
any moment: what was answered is there; what was not answered is done again by its repetition, with the same result
(see `ingest` and `changing` for how, without transactions, which a standalone server does not have).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.mongo import layout
from xget_storage.adapters.mongo.client import MongoServer
from xget_storage.adapters.mongo.errors import answering
from xget_storage.adapters.mongo_documents import schema
from xget_storage.adapters.mongo_documents.authors import load_authors
from xget_storage.adapters.mongo_documents.changing import Changing
from xget_storage.adapters.mongo_documents.documents import item_document, stored_item
from xget_storage.adapters.mongo_documents.executions import Executions
from xget_storage.adapters.mongo_documents.history import History
from xget_storage.adapters.mongo_documents.ingest import Ingest
from xget_storage.adapters.mongo_documents.reading import Reading
from xget_storage.adapters.mongo_documents.takedowns import Takedowns
from xget_storage.adapters.mongo_documents.writers import Writers
from xget_storage.models import AuditEntry, StoredAuthor, StoredItem, Takedown
from xget_storage.ports import Actor, HistoryPage, ItemFilter, ItemPage, SightedPage
from xget_storage.service.bans import Bans
from xget_storage.service.histories import piece_of

_BATCH: Final = 1000


class MongoDocuments:
    """`DocumentStore` on MongoDB; see the port for what each method promises. The client is closed by who opened it."""

    def __init__(self, server: MongoServer, *, batch: int = _BATCH) -> None:
        self._server = server
        self._writers = writers = Writers.of(server.database, batch)
        executions = Executions(server.database["executions"])
        self._ingest = Ingest(writers, executions)
        self._reading = Reading(writers.items, writers.sightings, executions)
        self._history = History(writers.items, writers.sightings, executions)
        self._changing = Changing(writers.items, writers.sightings, writers.audit, executions)

        self._takedowns = Takedowns(server.database, writers, self._changing)

    async def open(self) -> None:
        """Make collections and indexes that are missing. Raises StartupError when they cannot be as they have to be."""
        await layout.apply(self._server, schema.ALL)

    async def store_pages(self, pages: Sequence[PageParsed], now: datetime) -> list[PageStored]:
        with answering():
            banned = await self._takedowns.banned()
            if banned:
                pages = [Bans(banned).cleaned(page) for page in pages]
            answers = await self._ingest.run(pages, now)
            if late := await self._takedowns.banned() - banned:
                await self._takedowns.sweep(pages, late)
            return answers

    async def get(self, key: str, owner: str | None) -> StoredItem | None:
        with answering():
            found = (await self._writers.items.load([key])).get(key)
        return None if found is None else item_document(found).visible_to(owner)

    async def load(self, keys: Sequence[str]) -> dict[str, StoredItem]:
        with answering():
            found = await self._writers.items.load(keys)
        return {key: item for key, document in found.items() if (item := stored_item(document)) is not None}

    async def find(
        self, wanted: ItemFilter, size: int, *, offset: int = 0, after: Sequence[Any] | None = None
    ) -> ItemPage:
        with answering():
            return await self._reading.find(wanted, size, offset, after)

    async def sighted(self, wanted: ItemFilter, size: int, *, after: int = 0, counted: bool = True) -> SightedPage:
        with answering():
            return await self._reading.sighted(wanted, size, after, counted)

    async def history(
        self, key: str, owner: str | None, size: int, *, newest: bool = True, after: Sequence[Any] | None = None
    ) -> HistoryPage:
        with answering():
            found = await self._history.sightings(key, owner)
        return piece_of(found, size, newest=newest, after=after)

    async def versions(self, first: str, owner: str | None) -> list[StoredItem]:
        with answering():
            return await self._reading.versions(first, owner)

    async def add(self, items: Sequence[StoredItem], actor: str) -> list[bool]:
        with answering():
            return await self._changing.add(items, actor)

    async def edit(
        self, key: str, owner: str | None, edits: dict[str, Any], *, rev: int | None, by: Actor
    ) -> StoredItem:
        with answering():
            return await self._changing.edit(key, owner, edits, rev=rev, by=by)

    async def delete(self, key: str, owner: str | None, *, by: Actor) -> None:
        with answering():
            await self._changing.delete(key, owner, by)

    async def audit(self, key: str, owner: str | None) -> list[AuditEntry]:
        with answering():
            return await self._changing.audit(key, owner)

    async def authors(self, keys: Sequence[str]) -> dict[str, StoredAuthor]:
        with answering():
            return await load_authors(self._writers.authors, keys)

    async def unindexed(self, size: int) -> dict[str, StoredItem | int]:
        with answering():
            return await self._changing.unindexed(size)

    async def indexed(self, revs: dict[str, int]) -> None:
        with answering():
            await self._changing.indexed(revs)

    async def scan(self, after: str | None, size: int) -> dict[str, StoredItem | int]:
        with answering():
            return await self._reading.scan(after, size)

    async def banned(self) -> frozenset[str]:
        with answering():
            return await self._takedowns.banned()

    async def takedowns(self, *, pending: bool = False) -> list[Takedown]:
        with answering():
            return await self._takedowns.all(pending=pending)

    async def takedown(self, author_key: str) -> Takedown | None:
        with answering():
            return await self._takedowns.get(author_key)

    async def put_takedown(self, takedown: Takedown) -> bool:
        with answering():
            return await self._takedowns.put(takedown)

    async def erase(self, author_key: str, after: str | None, *, by: Actor) -> str | None:
        with answering():
            return await self._takedowns.erase(author_key, after, by)

    async def erased(self, author_key: str) -> tuple[int, int]:
        with answering():
            return await self._takedowns.erased(author_key)

    async def close(self) -> None:
        """Nothing of its own to close."""
