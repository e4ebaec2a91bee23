"""Stores a batch of parsed pages without a transaction.

In this order: items (the truth, each replaced at once), sightings, and last the pages with their answers. A page that
is not there at the end was not stored: it is delivered again, finds what its first delivery wrote, and adds the rest.
Counts come from the sightings, so they are the same whoever wrote which part. Authors stand apart from all of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.mongo.client import Document
from xget_storage.adapters.mongo_documents.authors import store_authors
from xget_storage.adapters.mongo_documents.delivery import Delivery, by_item, digest, page_id, page_row, waves
from xget_storage.adapters.mongo_documents.executions import Executions
from xget_storage.adapters.mongo_documents.forgetting import forget_late
from xget_storage.adapters.mongo_documents.items import ItemWork
from xget_storage.adapters.mongo_documents.paging import PageWriter
from xget_storage.adapters.mongo_documents.returning import returning
from xget_storage.adapters.mongo_documents.sightings import SightWork
from xget_storage.adapters.mongo_documents.writers import Writers
from xget_storage.service.counting import KeptAnswer

_MANY_MARKS: Final = 4


@dataclass(slots=True, frozen=True)
class Ingest:
    """Stores batches."""

    writers: Writers
    executions: Executions

    async def run(self, pages: Sequence[PageParsed], now: datetime) -> list[PageStored]:
        """Store `pages`, in their order; the answer for each. A page that was stored before gets the same answer.

        Behind these, the answers of other pages that lost counts to one of them.
        """
        answers: dict[tuple[str, str], PageStored] = {}
        touched: set[str] = set()
        given = [(page, digest(page)) for page in pages]
        for wave in waves(given):
            for id_, answer in (await self._wave(wave, now)).items():
                answers[id_, wave[id_][1]] = answer.told()
                touched |= {f"{answer.execution_id}/{number}" for number in answer.touched}
        others = await self.writers.pages.load(sorted(touched))
        told = [page_row(others[id_]).answer.told() for id_ in sorted(others)]
        return [answers[page_id(page), its_digest] for page, its_digest in given] + told

    async def _wave(self, wave: dict[str, tuple[PageParsed, str]], now: datetime) -> dict[str, KeptAnswer]:
        rows = {id_: page_row(row) for id_, row in (await self.writers.pages.load(list(wave))).items()}
        stored = {id_: row.answer for id_, row in rows.items() if wave[id_][1] in row.digests}
        left = {id_: one for id_, one in wave.items() if id_ not in stored}
        if not left:
            return stored
        runs = await self.executions.of(page for page, _ in left.values())
        deliveries = [
            Delivery(page, its_digest, runs[page.execution_id], rows.get(id_))
            for id_, (page, its_digest) in left.items()
        ]
        works, sights = await self._store(deliveries)
        paging = PageWriter(self.writers.pages, self.writers.sightings, works, sights, now)
        return {**stored, **await paging.write(deliveries)}

    async def _store(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, ItemWork], dict[str, SightWork]]:
        done, _ = await asyncio.gather(
            self._store_items(deliveries),
            store_authors(self.writers.authors, [delivery.page for delivery in deliveries]),
        )
        return done

    async def _store_items(self, deliveries: Sequence[Delivery]) -> tuple[dict[str, ItemWork], dict[str, SightWork]]:
        writers = self.writers
        shows = by_item(deliveries)
        known = await self._load_items(list(shows))
        # An item is there before its first sighting is, so those that are not there need no look.
        ids = dict.fromkeys(f"{one.page.execution_id}:{key}" for key in known for one, _ in shows[key])
        sighted = await writers.sightings.load(list(ids))
        back = await returning(writers, known)
        works = {
            key: ItemWork(key, shown, _executions(key, shown, sighted), back.get(key)) for key, shown in shows.items()
        }
        await writers.items.settle(list(works.values()), known)
        sights = _sightings(works)
        await writers.sightings.settle(list(sights.values()), sighted)
        await forget_late(writers, works, sights)
        return works, sights

    async def _load_items(self, keys: list[str]) -> dict[str, Document]:
        """Items, without marks of pages that are stored: only those that were never needed add up."""
        known = await self.writers.items.load(keys)
        marked = [one for one in known.values() if len(one.get("marks", ())) > _MANY_MARKS]
        if marked:
            pages = await self.writers.pages.load(list({mark["p"] for one in marked for mark in one["marks"]}))
            for one in marked:
                one["marks"] = [m for m in one["marks"] if m["d"] not in pages.get(m["p"], {}).get("digests", ())]
        return known


def _executions(key: str, shown: Sequence[tuple[Delivery, Any]], sighted: dict[str, Document]) -> dict[str, int]:
    """Executions that have a sighting of an item already, with its page."""
    executions = {one.page.execution_id for one, _ in shown}
    return {execution: known["p"] for execution in executions if (known := sighted.get(f"{execution}:{key}"))}


def _sightings(works: dict[str, ItemWork]) -> dict[str, SightWork]:
    """One for each execution and item, in the order of pages and of places on them."""
    found: dict[str, list[Any]] = {}
    keys: dict[str, str] = {}
    for work in works.values():
        for delivery, occurrence in work.shows:
            verdict = work.verdicts.get(delivery.id)
            if verdict is not None:
                id_ = f"{delivery.page.execution_id}:{work.id}"
                found.setdefault(id_, []).append((delivery, occurrence, verdict))
                keys[id_] = work.id
    works_by_place = sorted(found.items(), key=lambda one: one[1][0][0].place(one[1][0][1].ord, 0))
    return {id_: SightWork(id_, keys[id_], shown) for id_, shown in works_by_place}
