"""The last step of a batch: each page's counts and answer, which say that the page is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from pymongo import InsertOne, ReplaceOne

from xget_contracts.events import PageStored
from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo.errors import unavailable
from xget_storage.adapters.mongo.writing import Operation, Writer
from xget_storage.adapters.mongo_documents.delivery import Delivery, PageRow, page_row
from xget_storage.adapters.mongo_documents.items import ItemWork
from xget_storage.adapters.mongo_documents.sightings import SightWork, count
from xget_storage.service.counting import KeptAnswer, PageCounts, page_stored, recounted

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

    async def write(self, deliveries: Sequence[Delivery]) -> dict[str, KeptAnswer]:
        """Store the pages; the answers by page.

        Pages that lost counts to them come first: a page that is there says that all of its work is done.
        """
        own = {delivery.id for delivery in deliveries}
        touched = {
            f"{delivery.page.execution_id}/{number}" for delivery in deliveries for number in self._touched(delivery)
        }
        for id_ in sorted(touched - own):
            await self._recount(id_)
        answers: dict[str, KeptAnswer] = {}
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

    def _touched(self, delivery: Delivery) -> set[int]:
        """Pages that have lost counts to this one, whoever did it."""
        page_no = delivery.page.page_no
        here = [sight for sight in self._sights(delivery) if page_no in sight.place]
        before = delivery.row.answer.touched if delivery.row else ()
        return {*before, *(number for sight in here for number in sight.was)} - {page_no}

    def _sights(self, delivery: Delivery) -> list[SightWork]:
        return [self.sights[f"{delivery.page.execution_id}:{key}"] for key in self._kept(delivery)]

    def _kept(self, delivery: Delivery) -> list[str]:
        return [key for key in delivery.occurrences if delivery.id in self.works[key].verdicts]

    async def _plan(self, delivery: Delivery, answers: dict[str, KeptAnswer]) -> Operation:
        answer = answers[delivery.id] = KeptAnswer.of(await self._answer(delivery), self._touched(delivery))
        row = delivery.row
        if row is None:
            return InsertOne(_document(delivery.id, PageRow(0, [delivery.digest], answer, [])))
        digests = [*row.digests[-_DIGESTS:], delivery.digest]
        keys = row.keys()
        more = None if keys is None else sorted({*keys} - {*answer.keys})
        written = _document(delivery.id, PageRow(row.v, digests, answer, more))
        return ReplaceOne({"_id": delivery.id, "v": row.v}, written)

    async def _answer(self, delivery: Delivery) -> PageStored:
        page, row = delivery.page, delivery.row
        kept, sights, counts = self._kept(delivery), self._sights(delivery), PageCounts()
        matched = [key for key in kept if delivery.occurrences[key].match]
        if row is None:
            for sight in sights:
                sight.count(page.page_no, counts)
        else:
            keys = row.keys()
            for one in await self._seen(page.execution_id, None if keys is None else [*{*keys, *kept}]):
                count(counts, page.page_no, one)
        return page_stored(
            page,
            self.now,
            before=row.answer if row else None,
            keys=kept,
            matches=[item for key in matched if (item := self.works[key].item) is not None],
            counts=counts,
            duplicates=sum(sight.is_duplicate(page.page_no) for sight in sights),
        )

    async def _seen(self, execution: str, keys: Sequence[str] | None) -> list[Document]:
        """The sightings of some items, or of all of an execution; those that are gone too."""
        if keys is not None:
            return list((await self.sightings.load([f"{execution}:{key}" for key in keys])).values())
        whole = {"_id": {"$gte": f"{execution}:", "$lt": f"{execution};"}}
        fields = {"k": 1, "p": 1, "m": 1, "f": 1, "c": 1}
        return [one async for one in self.sightings.documents.find(whole, fields)]

    async def _recount(self, id_: str) -> None:
        """Count a page again that has lost to another one; again is fine."""
        for _ in range(_ROUNDS):
            found = (await self.pages.load([id_])).get(id_)
            if found is None:
                return  # on its way: who stores it finds the sightings as they are now
            row = page_row(found)
            answer, counts, duplicates = row.answer, PageCounts(), 0
            for one in await self._seen(answer.execution_id, row.keys()):
                count(counts, answer.page_no, one)
                duplicates += one["k"] in answer.keys and answer.page_no not in (one["p"], one.get("m"))
            told = recounted(answer, self.now, counts, duplicates)
            if told is answer:
                return
            written = _document(id_, PageRow(row.v, row.digests, told, row.more))
            if (await self.pages.documents.replace_one({"_id": id_, "v": row.v}, written)).matched_count:
                return
        raise unavailable("gets the same page from too many at once")


def _document(id_: str, row: PageRow) -> dict[str, Any]:
    """A page as it is written, one version on."""
    document: dict[str, Any] = {"_id": id_, "v": row.v + 1, "digests": row.digests}
    document["answer"] = msgspec.to_builtins(row.answer)
    if row.more is not None:
        document["more"] = row.more
    return document
