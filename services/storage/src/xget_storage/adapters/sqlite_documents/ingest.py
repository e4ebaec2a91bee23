"""Stores a batch of parsed pages: a few queries load what is known of the items, memory merges, bulk writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import msgspec

from xget_contracts.events import PageParsed, PageStored
from xget_storage.adapters.sqlite_documents.batch import Entry, PageRow, Run, Sight
from xget_storage.adapters.sqlite_documents.known import Known
from xget_storage.adapters.sqlite_documents.takedowns import banned
from xget_storage.adapters.sqlite_rows import micros
from xget_storage.service.bans import Bans
from xget_storage.service.counting import page_stored
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
        """Store `pages`, in their order; the answer for each. A page that was stored before gets the same answer."""
        digests = [blake2b(msgspec.json.encode(page), digest_size=16).digest() for page in pages]
        if bans := Bans(banned(self.connection)):
            pages = [bans.cleaned(page) for page in pages]
        runs = [self.known.run(page) for page in pages]
        rows = [self.known.page(run, page) for run, page in zip(runs, pages, strict=True)]
        self.known.load((runs[i], pages[i]) for i, row in enumerate(rows) if row.digest != digests[i])
        answers: list[PageStored] = []
        for page, run, row, digest in zip(pages, runs, rows, digests, strict=True):
            if row.answer is None or row.digest != digest:
                row.answer = self._store(page, run, row)
                row.digest = digest
                self.known.touch_page(row)
            answers.append(row.answer)
        self.known.write()
        return answers

    def _store(self, page: PageParsed, run: Run, row: PageRow) -> PageStored:
        kept: list[Entry] = []
        matched: list[Entry] = []
        duplicates = 0
        for key, occurrence in by_key(page.items).items():
            entry = self.known.entry(key)
            if entry is not None and (entry.item is None or (run.owner, entry.id) in self.known.hidden):
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

    def _merge(self, entry: Entry | None, occurrence: Occurrence, page: PageParsed) -> tuple[Entry, bool, bool]:
        fresh = entry is None
        changed = False
        for shown in occurrence.shown:
            if entry is None:
                entry = self.known.new_entry(first_sight(shown, page))
            elif entry.item is not None:
                changed |= merge_item(entry.item, shown, page)
        assert entry is not None  # noqa: S101 - an occurrence shows its item at least once
        entry.dirty = True
        return entry, fresh, changed

    def _sight(self, seen: _Seen, page: PageParsed, run: Run, row: PageRow) -> bool:
        """Record the sighting; True when an earlier page of the execution had this item as what it is here."""
        match = seen.occurrence.match
        sight = self.known.sights.get((run.id, seen.entry.id))
        if sight is None:
            match_page = page.page_no if match else None
            sight = Sight(self.known.next_seq(), page.page_no, match_page, new=True, shown=seen.occurrence.shown[0])
            sight.values = (seen.occurrence.ord, micros(page.fetched_at), seen.fresh, seen.changed)
            self.known.add_sight(run, seen.entry, sight)
            row.counts.first(match, seen.fresh, seen.changed)
            return False
        if match and sight.match_page is None:
            self.known.promote(run, seen.entry, sight, page.page_no)
            row.counts.promoted(same_page=sight.page_no == page.page_no)
            return False
        return page.page_no not in (sight.page_no, sight.match_page)
