"""Stores a batch of parsed pages: a few queries load what is known of the items, memory merges, bulk writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import msgspec

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.sqlite_documents.batch import Entry, PageRow, Run, Shown, Sight
from xget_storage.adapters.sqlite_documents.known import Known
from xget_storage.adapters.sqlite_documents.takedowns import banned
from xget_storage.adapters.sqlite_rows import micros
from xget_storage.service.bans import Bans
from xget_storage.service.counting import Place, page_stored, recounted
from xget_storage.service.merging import first_sight, merge_item
from xget_storage.service.occurrences import Occurrence, by_key


@dataclass(slots=True, frozen=True)
class _Seen:
    """What an occurrence was for the store: new, or changing what was there."""

    entry: Entry
    occurrence: Occurrence
    fresh: bool
    changed: bool


@dataclass(slots=True)
class Ingest:
    """One transaction's work."""

    connection: sqlite3.Connection
    now: datetime
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        self.known = Known(self.connection)

    def run(self, pages: Sequence[PageParsed]) -> list[PageStored]:
        """Store `pages`, in their order; the answer for each. A page that was stored before gets the same answer.

        Behind these, the answers of other pages that lost counts to one of them.
        """
        digests = [blake2b(msgspec.json.encode(page), digest_size=16).digest() for page in pages]
        if bans := Bans(banned(self.connection)):
            pages = [bans.cleaned(page) for page in pages]
        runs = [self.known.run(page) for page in pages]
        rows = [self.known.page(run, page.page_no) for page, run in zip(pages, runs, strict=True)]
        self.known.load((runs[i], pages[i]) for i, row in enumerate(rows) if row.digest != digests[i])
        answers: list[PageStored] = []
        for page, run, row, digest in zip(pages, runs, rows, digests, strict=True):
            if row.answer is None or row.digest != digest:
                row.answer = self._store(page, run, row)
                row.digest = digest
                self.known.touch_page(row)
            answers.append(row.answer)
        self.known.write()
        return answers + self._touched(runs, rows)

    def _touched(self, runs: Sequence[Run], rows: Sequence[PageRow]) -> list[PageStored]:
        touched = {(run.id, number): run for run, row in zip(runs, rows, strict=True) for number in row.touched}
        others = (self.known.page(run, number).answer for (_, number), run in sorted(touched.items()))
        return [answer for answer in others if answer is not None]

    def _store(self, page: PageParsed, run: Run, row: PageRow) -> PageStored:
        kept: list[Entry] = []
        matched: list[Entry] = []
        duplicates = 0
        for key, occurrence in by_key(page.items).items():
            entry = self.known.entry(key)
            if entry is not None and not self._takes(entry, run, page):
                continue  # a tombstone wins
            stored, fresh, changed = self._merge(entry, occurrence, page)
            kept.append(stored)
            if occurrence.match:
                matched.append(stored)
            duplicates += self._sight(_Seen(stored, occurrence, fresh, changed), page, run, row)
        self.known.merge_authors(page)
        return page_stored(
            page,
            self.now,
            before=row.answer,
            keys=[entry.key for entry in kept],
            matches=[entry.item for entry in matched if entry.item is not None],
            counts=row.counts,
            duplicates=duplicates,
        )

    def _takes(self, entry: Entry, run: Run, page: PageParsed) -> bool:
        """Whether what a page shows of an item is stored."""
        if entry.item is None:
            return self.known.returns(entry, run, page.fetched_at)
        return (run.owner, entry.id) not in self.known.hidden

    def _merge(self, entry: Entry | None, occurrence: Occurrence, page: PageParsed) -> tuple[Entry, bool, bool]:
        fresh = entry is None or entry.item is None
        changed = False
        for shown in occurrence.shown:
            if entry is None:
                entry = self.known.new_entry(first_sight(shown, page))
            elif entry.item is None:
                entry.item = first_sight(shown, page, rev=1 + self.known.rev(entry))
            else:
                changed |= merge_item(entry.item, shown, page)
        assert entry is not None  # noqa: S101 - an occurrence shows its item at least once
        entry.dirty = True
        return entry, fresh, changed

    def _sight(self, seen: _Seen, page: PageParsed, run: Run, row: PageRow) -> bool:
        """Record the sighting; True when an earlier page of the execution had this item as what it is here."""
        match = seen.occurrence.match
        shown = Shown(seen.occurrence.ord, micros(page.fetched_at), seen.occurrence.shown[0])
        sight = self.known.sights.get((run.id, seen.entry.id))
        if sight is None:
            place = Place.of(page.page_no, match)
            sight = Sight(self.known.next_seq(), *place, seen.fresh, seen.changed, new=True)
            sight.ord, sight.seen_at, sight.shown = shown
            self.known.add_sight(run, seen.entry, sight)
            row.counts.count(page.page_no, sight.place, fresh=seen.fresh, changed=seen.changed)
            return False
        self.known.list_again(run, seen.entry, sight, shown)
        if sight.place.with_page(page.page_no, match) != sight.place:
            self._move(seen, sight, page, run)
        return page.page_no not in sight.place

    def _move(self, seen: _Seen, sight: Sight, page: PageParsed, run: Run) -> None:
        """A page had the item before the one that showed it first, or first as an answer."""
        before, fresh, changed = sight.place, sight.fresh, sight.changed
        after = before.with_page(page.page_no, seen.occurrence.match)
        if after.page != before.page:
            sight.ord, sight.seen_at = seen.occurrence.ord, micros(page.fetched_at)
            sight.changed, sight.shown = changed or seen.changed, seen.occurrence.shown[0]
        self.known.move(run, seen.entry, sight, after)
        for number in {number for number in (*before, *after) if number is not None}:
            counts = self.known.page(run, number).counts
            counts.count(number, before, fresh=fresh, changed=changed, times=-1)
            counts.count(number, after, fresh=fresh, changed=sight.changed)
            if number != page.page_no:
                self._recount(run, page.page_no, number, None if number in after else seen.entry.key)

    def _recount(self, run: Run, page_no: int, number: int, lost: str | None) -> None:
        """Page `number` lost counts to `page_no`; an item that it `lost` is a duplicate where it is shown."""
        row = self.known.page(run, number)
        if row.answer is None:
            return
        told = recounted(row.answer, self.now, row.counts, row.answer.duplicate + (lost in row.answer.keys))
        if told is not row.answer:
            row.answer = told
            self.known.page(run, page_no).touched.add(number)
            self.known.touch_page(row)
