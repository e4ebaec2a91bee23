"""The last step of a batch: each page's counts and answer, which say that the page is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_contracts.events import PageStored
from xget_storage.adapters.mongo.errors import unavailable
from xget_storage.adapters.mongo.writing import Operation, Writer
from xget_storage.adapters.mongo_documents.delivery import Delivery, PageRow, page_row
from xget_storage.adapters.mongo_documents.items import ItemWork
from xget_storage.adapters.mongo_documents.sightings import SightWork, count
from xget_storage.service.counting import PageCounts, page_stored

_DIGESTS: Final = 32
_ROUNDS: Final = 10


@dataclass(slots=True, frozen=True)
class PageWriter:
    """Answers deliveries from the state of their items' sightings."""

    pages: Writer
    sightings: Writer
    works: dict[str, ItemWork]
    sights: dict[str, SightWork]
    now: datetime

    async def write(self, deliveries: Sequence[Delivery]) -> dict[str, PageStored]:
        """Store the pages; the answers by page."""
        answers: dict[str, PageStored] = {}
        left = list(deliveries)
        for _ in range(_ROUNDS):
            planned = [(delivery, await self._plan(delivery, answers)) for delivery in left]
            left = await self.pages.write(planned)
            if not left:
                return answers
            rows = await self.pages.load([delivery.id for delivery in left])
            for delivery in left:
                delivery.row = page_row(rows[delivery.id]) if delivery.id in rows else None
                if delivery.row is not None and delivery.digest in delivery.row.digests:
                    answers[delivery.id] = delivery.row.answer
            left = [one for one in left if one.row is None or one.digest not in one.row.digests]
        raise unavailable("gets the same page from too many at once")

    async def _plan(self, delivery: Delivery, answers: dict[str, PageStored]) -> Operation:
        answer = answers[delivery.id] = await self._answer(delivery)
        row = delivery.row or PageRow(0, [], answer)
        document: dict[str, Any] = {
            "_id": delivery.id,
            "v": row.v + 1,
            "digests": [*row.digests[-_DIGESTS:], delivery.digest],
            "answer": msgspec.to_builtins(answer),
        }
        return ReplaceOne({"_id": delivery.id, "v": row.v}, document) if row.v else InsertOne(document)

    async def _answer(self, delivery: Delivery) -> PageStored:
        page = delivery.page
        kept = [key for key in delivery.occurrences if delivery.id in self.works[key].verdicts]
        sights = [self.sights[f"{page.execution_id}:{key}"] for key in kept]
        matched = [key for key in kept if delivery.occurrences[key].match]
        return page_stored(
            page,
            self.now,
            before=delivery.row.answer if delivery.row else None,
            keys=kept,
            matches=[item for key in matched if (item := self.works[key].item) is not None],
            counts=await self._counts(delivery, sights),
            duplicates=sum(sight.is_duplicate(page.page_no) for sight in sights),
        )

    async def _counts(self, delivery: Delivery, sights: Sequence[SightWork]) -> PageCounts:
        counts = PageCounts()
        page = delivery.page
        if delivery.row is None:
            for sight in sights:
                sight.count(page.page_no, counts)
            return counts
        whole = {"_id": {"$gte": f"{page.execution_id}:", "$lt": f"{page.execution_id};"}}  # those that are gone too
        async for one in self.sightings.documents.find(whole, {"p": 1, "m": 1, "f": 1, "c": 1}):
            count(counts, page.page_no, p=one["p"], m=one.get("m"), fresh=one["f"], changed=one["c"])
        return counts
