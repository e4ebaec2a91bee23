"""What a batch makes of one sighting: an item as one execution saw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from pymongo import InsertOne, UpdateOne

from xget_storage.adapters.mongo.encoding import micros
from xget_storage.adapters.mongo.writing import Operation
from xget_storage.adapters.mongo_documents.delivery import Delivery
from xget_storage.adapters.mongo_documents.items import Verdict
from xget_storage.service.counting import PageCounts, Place
from xget_storage.service.occurrences import Occurrence

_NOWHERE: Final = Place(0, None)


@dataclass(slots=True)
class _Seen:
    """A sighting as it has to be: `shows` is what goes with its first page."""

    place: Place
    fresh: bool
    changed: bool
    shows: tuple[Delivery, Occurrence] | None

    def take(self, show: tuple[Delivery, Occurrence, Verdict]) -> None:
        """Put another page's sight in."""
        delivery, occurrence, verdict = show
        after = self.place.with_page(delivery.page.page_no, occurrence.match)
        if after.page != self.place.page:
            self.fresh |= verdict.fresh
            self.changed |= verdict.changed
            self.shows = delivery, occurrence
        self.place = after


@dataclass(slots=True)
class SightWork:
    """Records on which page the execution saw the item first (`p`), and on which first as an answer (`m`).

    Pages that come late may move both; `was` keeps those that showed it first before, as they have lost counts.
    """

    id: str
    key: str
    shows: Sequence[tuple[Delivery, Occurrence, Verdict]]
    place: Place = _NOWHERE
    fresh: bool = False
    changed: bool = False
    was: frozenset[int] = frozenset()
    tries: int = -1

    def plan(self, known: Mapping[str, Any] | None) -> Operation | None:
        """The sighting, or what other pages make of it."""
        if known is None:
            return self._new()
        before = Place(known["p"], known.get("m"))
        seen = _Seen(before, known["f"], known["c"], None)
        for show in self.shows:
            seen.take(show)
        self._take_over(seen, {*known.get("was", ()), *_left(before, seen.place)})
        back = known["e"] != self.shows[0][0].page.execution_id
        return None if seen.place == before and not back else self._move(known, seen, back=back)

    def _take_over(self, seen: _Seen, was: Iterable[int]) -> None:
        self.place, self.fresh, self.changed, self.was = seen.place, seen.fresh, seen.changed, frozenset(was)

    def _move(self, known: Mapping[str, Any], seen: _Seen, *, back: bool) -> UpdateOne:
        """The sighting on other pages; one that is in no list is in it again, with what comes `back`."""
        same = {name: known.get(name, {"$exists": False}) for name in ("p", "m", "e")}
        changes: dict[str, Any] = {"p": seen.place.page, "f": seen.fresh, "c": seen.changed}
        if seen.place.match is not None:
            changes["m"] = seen.place.match
        if self.was:
            changes["was"] = sorted(self.was)
        if back:
            first = self.shows[0]
            seen.shows = seen.shows or first[:2]
            changes["e"] = first[0].page.execution_id
            if first[2].first:
                changes["ft"] = first[0].run.task
        if seen.shows is not None:
            delivery, occurrence = seen.shows
            changes["at"] = micros(delivery.page.fetched_at)
            if "x" in known or back:
                changes["x"] = msgspec.to_builtins(occurrence.shown[0].metrics)
        return UpdateOne({"_id": self.id, **same}, {"$set": changes})

    def _new(self) -> Operation:
        self.tries += 1  # a place that somebody else took is left to them
        delivery, occurrence, verdict = self.shows[0]
        place = Place.of(delivery.page.page_no, occurrence.match)
        seen = _Seen(place, verdict.fresh, verdict.changed, (delivery, occurrence))
        was: set[int] = set()
        for show in self.shows[1:]:
            before = seen.place
            seen.take(show)
            was |= _left(before, seen.place)
        self._take_over(seen, was)
        return InsertOne(self._document(seen, first=verdict.first))

    def _document(self, seen: _Seen, *, first: bool) -> dict[str, Any]:
        assert seen.shows is not None  # noqa: S101 - a new sighting has a page that shows it
        delivery, occurrence = seen.shows
        document: dict[str, Any] = {
            "_id": self.id,
            "e": delivery.page.execution_id,
            "k": self.key,
            "t": delivery.run.task,
            "o": delivery.run.owner,
            "s": delivery.place(occurrence.ord, self.tries),
            "p": seen.place.page,
            "f": seen.fresh,
            "c": seen.changed,
            "at": micros(delivery.page.fetched_at),
            "x": msgspec.to_builtins(occurrence.shown[0].metrics),
        }
        if seen.place.match is not None:
            document["m"] = seen.place.match
        if first:
            document["ft"] = delivery.run.task
        if self.was:
            document["was"] = sorted(self.was)
        return document

    def is_duplicate(self, page_no: int) -> bool:
        """Whether an earlier page had the item as what it is on this page."""
        return page_no not in self.place

    def count(self, page_no: int, counts: PageCounts) -> None:
        """Add what the sighting is for a page."""
        counts.count(page_no, self.place, fresh=self.fresh, changed=self.changed)


def _left(before: Place, after: Place) -> set[int]:
    """Pages that count an item differently from before."""
    return {
        page
        for page in before
        if page is not None and (page == before.page, page == before.match) != (page == after.page, page == after.match)
    }


def count(counts: PageCounts, page_no: int, sighting: Mapping[str, Any]) -> None:
    """Add what a stored sighting is for a page."""
    place = Place(sighting["p"], sighting.get("m"))
    counts.count(page_no, place, fresh=sighting["f"], changed=sighting["c"])
