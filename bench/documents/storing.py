"""A batch of raw pages into the documents, as storage's worker stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.documents.servers import Server
from xget_contracts.events import PageCollected, PageStored
from xget_kernel.clock import SystemClock
from xget_processing.service.parsing import PageParser
from xget_storage.adapters.mongo_documents import MongoDocuments
from xget_storage.settings import Settings

BATCH = int(Settings.model_fields["storage_batch_messages"].default)
"""Pages that are stored together: as the worker does."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measure needs."""

    parser: PageParser
    server: Server

    async def store(self, documents: MongoDocuments, given: Sequence[PageCollected]) -> list[PageStored]:
        """Parse and store; the answers."""
        return await documents.store_pages([self.parser.parse(page).result for page in given], SystemClock().now())
