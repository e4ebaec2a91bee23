"""What a batch makes of one sighting: an item as one execution saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from pymongo import InsertOne, UpdateOne

from xget_storage.adapters.mongo.encoding import micros
from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.delivery import Delivery
from xget_storage.adapters.mongo_documents.items import Verdict
from xget_storage.service.counting import PageCounts
from xget_storage.service.occurrences import Occurrence


@dataclass(slots=True)
class SightWork:
    """Records where the execution saw the item first (`p`), and where first as an answer (`m`)."""

    id: str
    key: str
    shows: Sequence[tuple[Delivery, Occurrence, Verdict]]
    p: int = 0
    m: int | None = None
    fresh: bool = False
    changed: bool = False
    tries: int = -1

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The sighting, or the page that made an answer of it."""
        if known is None:
            return self._new()
        self.p, self.m = known["p"], known.get("m")
        self.fresh, self.changed = known["f"], known["c"]
        if self.m is None:
            self.m = self._match()
            if self.m is not None:
                return UpdateOne({"_id": self.id, "m": {"$exists": False}}, {"$set": {"m": self.m}})
        return None

    def _match(self) -> int | None:
        return next((delivery.page.page_no for delivery, occurrence, _ in self.shows if occurrence.match), None)

    def _new(self) -> Operation:
        self.tries += 1  # a place that somebody else took is left to them
        delivery, occurrence, verdict = self.shows[0]
        self.p, self.m = delivery.page.page_no, self._match()
        self.fresh, self.changed = verdict.fresh, verdict.changed
        document: dict[str, Any] = {
            "_id": self.id,
            "e": delivery.page.execution_id,
            "k": self.key,
            "t": delivery.run.task,
            "o": delivery.run.owner,
            "s": delivery.place(occurrence.ord, self.tries),
            "p": self.p,
            "f": self.fresh,
            "c": self.changed,
            "at": micros(delivery.page.fetched_at),
            "x": msgspec.to_builtins(occurrence.shown[0].metrics),
        }
        if self.m is not None:
            document["m"] = self.m
        if verdict.first:
            document["ft"] = delivery.run.task
        return InsertOne(document)

    def is_duplicate(self, page_no: int) -> bool:
        """Whether an earlier page had the item as what it is on this page."""
        return page_no not in (self.p, self.m)

    def count(self, page_no: int, counts: PageCounts) -> None:
        """Add what the sighting is for a page."""
        count(counts, page_no, p=self.p, m=self.m, fresh=self.fresh, changed=self.changed)


def count(counts: PageCounts, page_no: int, *, p: int, m: int | None, fresh: bool, changed: bool) -> None:
    """Add what a sighting on page `p`, answering on page `m`, is for page `page_no`."""
    if p == page_no:
        counts.first(m == page_no, fresh, changed)
    elif m == page_no:
        counts.promoted(same_page=False)
