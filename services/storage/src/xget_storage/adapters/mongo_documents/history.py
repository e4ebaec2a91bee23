"""How executions saw an item. Its own tasks lead to its sightings, so no index on items slows down collecting."""

from __future__ import annotations

import msgspec

from xget_contracts.items import Metrics
from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo.encoding import moment
from xget_storage.adapters.mongo.writing import Writer
from xget_storage.adapters.mongo_documents.documents import item_document
from xget_storage.adapters.mongo_documents.executions import Executions
from xget_storage.errors import no_such_item
from xget_storage.models import Sighting


class History:
    """Sightings of one item."""

    def __init__(self, items: Writer, sightings: Writer, executions: Executions) -> None:
        self._items = items
        self._sightings = sightings
        self._executions = executions

    async def sightings(self, key: str, owner: str | None) -> list[Sighting]:
        """All of them, in no order. Raises ItemNotFound."""
        found = (await self._items.load([key])).get(key)
        item = None if found is None else item_document(found).visible_to(owner)
        if item is None:
            raise no_such_item(key)
        runs = [
            execution
            for who, tasks in item.seen_by.items()
            if owner in (None, who)
            for task in tasks
            for execution in await self._executions.of_task(task, who)
        ]
        seen = await self._sightings.load([f"{execution}:{key}" for execution in runs])
        return [_sighting(one) for one in seen.values() if "x" in one]


def _sighting(document: Document) -> Sighting:
    return Sighting(
        seen_at=moment(document["at"]),
        execution_id=document["e"],
        task_id=document["t"],
        owner_id=document["o"],
        page_no=document["p"],
        match_page=document.get("m"),
        metrics=msgspec.convert(document["x"], Metrics),
    )
