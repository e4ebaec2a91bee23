"""Records of another store on their way into MongoDB, and back out to be compared.

Each record is one document that is inserted, or merged into what is there; a repetition after a kill -9 plans nothing
for what is in place. Nobody else should write meanwhile: what a batch of pages does in between is not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from xget_storage.adapters.mongo import layout
from xget_storage.adapters.mongo.client import Document, MongoServer
from xget_storage.adapters.mongo.errors import answering
from xget_storage.adapters.mongo.writing import Work, Writer
from xget_storage.adapters.mongo_documents import schema
from xget_storage.adapters.mongo_documents.documents import item_document
from xget_storage.adapters.mongo_documents.importing.items import ItemImport, archived_item
from xget_storage.adapters.mongo_documents.importing.others import (
    AuthorImport,
    ChangeImport,
    ExecutionImport,
    PageImport,
    archived_author,
    archived_change,
    archived_execution,
    archived_page,
)
from xget_storage.adapters.mongo_documents.importing.sightings import SightingImport, archived_sighting
from xget_storage.adapters.mongo_documents.importing.takedowns import TakedownImport, archived_takedown, sweep_again
from xget_storage.schemas.archive import (
    Archived,
    ArchivedAuthor,
    ArchivedChange,
    ArchivedExecution,
    ArchivedItem,
    ArchivedPage,
    ArchivedSighting,
    ArchivedTakedown,
    Kind,
    canonical,
)

_BATCH: Final = 1000
_READ: Final[dict[Kind, Any]] = {
    "executions": archived_execution,
    "items": archived_item,
    "sightings": archived_sighting,
    "pages": archived_page,
    "authors": archived_author,
    "audit": archived_change,
    "takedowns": archived_takedown,
}

_IMPORTS: Final[dict[type[Archived], Any]] = {
    ArchivedItem: ItemImport,
    ArchivedExecution: ExecutionImport,
    ArchivedPage: PageImport,
    ArchivedAuthor: AuthorImport,
    ArchivedChange: ChangeImport,
    ArchivedTakedown: TakedownImport,
}


class MongoArchive:
    """The documents of a database, record by record. Raises Unavailable (503), Full (507), TooLarge (413)."""

    def __init__(self, server: MongoServer) -> None:
        self._server = server
        self._writers: dict[str, Writer] = {name: Writer(server.database[name], _BATCH) for name in _READ}

    async def open(self) -> None:
        """Make collections and indexes that are missing. Raises StartupError."""
        await layout.apply(self._server, schema.ALL)

    async def counts(self) -> dict[str, int]:
        """Documents in each collection that holds any, foreign ones too."""
        with answering():
            names = await self._server.database.list_collection_names()
            ours = sorted(name for name in names if not name.startswith("system."))
            found = {name: await self._server.database[name].count_documents({}) for name in ours}
        return {name: number for name, number in found.items() if number}

    async def load(self, kind: Kind, ids: Sequence[str]) -> dict[str, Archived]:
        """Those of these records that are there."""
        with answering():
            found = await self._writers[kind].load(ids)
        return {id_: _READ[kind](document) for id_, document in found.items()}

    async def bring(self, kind: Kind, records: Sequence[Archived]) -> None:
        """Insert records, or merge them into what is there; all of one kind. Again is fine."""
        with answering():
            works = await self._works(records)
            await self._writers[kind].settle(works, await self._writers[kind].load([work.id for work in works]))

    async def finish(self, kind: Kind) -> None:
        """After the last record of a kind: who was taken down here or there is looked for in all that came."""
        if kind == "takedowns":
            with answering():
                await sweep_again(self._writers[kind])

    async def settled(self, kind: Kind, records: Sequence[Archived]) -> set[str]:
        """Ids of the records that bringing again would change nothing for."""
        with answering():
            known = await self._writers[kind].load([record.id for record in records])
            works = await self._works(records)
        if kind in ("executions", "audit"):  # never merged: they are the same, or they are two
            return {one.id for one in records if one.id in known and _same(one, _READ[kind](known[one.id]))}
        return {work.id for work in works if work.id in known and work.plan(known[work.id]) is None}

    async def _works(self, records: Sequence[Archived]) -> list[Work]:
        sightings = [record for record in records if isinstance(record, ArchivedSighting)]
        runs, items = await self._around(sightings) if sightings else ({}, {})
        return [_work(record, runs, items) for record in records]

    async def _around(self, sightings: Sequence[ArchivedSighting]) -> tuple[dict[str, Document], dict[str, Document]]:
        """The executions and items of sightings, as they are here."""
        runs = await self._writers["executions"].load(list({one.execution_id for one in sightings}))
        return runs, await self._writers["items"].load(list({one.key for one in sightings}))


def _same(record: Archived, found: Archived) -> bool:
    return canonical(record) == canonical(found)


def _work(record: Archived, runs: Mapping[str, Document], items: Mapping[str, Document]) -> Work:
    if isinstance(record, ArchivedSighting):
        document = items.get(record.key)
        n = int(runs[record.execution_id]["n"]) if record.execution_id in runs else 1
        return SightingImport(record.id, record, n, None if document is None else item_document(document))
    work: Work = _IMPORTS[type(record)](record.id, record)
    return work
