"""What the store knows of the items in a batch, held in memory while the batch is merged, and written back in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from xget_contracts.events import PageParsed
from xget_storage.adapters.sqlite_documents import writing
from xget_storage.adapters.sqlite_documents.batch import Changes, Entry, PageRow, Run, Shown, Sight
from xget_storage.adapters.sqlite_documents.executions import find_page, find_run
from xget_storage.adapters.sqlite_documents.takedowns import bring_back, lifted
from xget_storage.adapters.sqlite_rows import ITEM_DECODER, Columns, listed, number
from xget_storage.models import StoredAuthor, StoredItem
from xget_storage.service.counting import Place
from xget_storage.service.merging import merge_author

_IN: Final = "IN (SELECT value FROM json_each(?))"
_AUTHOR_DECODER: Final = msgspec.json.Decoder(StoredAuthor)


@dataclass(slots=True)
class Known:
    """Loads, remembers, writes."""

    connection: sqlite3.Connection
    entries: dict[str, Entry] = field(default_factory=dict)
    sights: dict[tuple[int, int], Sight] = field(default_factory=dict)
    hidden: set[tuple[int, int]] = field(default_factory=set)
    task_items: dict[tuple[int, int], bool] = field(default_factory=dict)
    authors: dict[str, StoredAuthor] = field(default_factory=dict)
    returning: dict[int, datetime] = field(default_factory=dict)
    """Tombstones of authors who may be collected again, since when."""
    changes: Changes = field(default_factory=Changes)
    _runs: dict[str, Run] = field(default_factory=dict)
    _pages: dict[tuple[int, int], PageRow] = field(default_factory=dict)
    _last_id: int = 0
    _last_seq: int = 0

    def run(self, page: PageParsed) -> Run:
        """The execution of a page; its row is made at the first page."""
        if page.execution_id not in self._runs:
            self._runs[page.execution_id] = find_run(self.connection, page)
        return self._runs[page.execution_id]

    def page(self, run: Run, page_no: int) -> PageRow:
        """What is stored of a page."""
        if (run.id, page_no) not in self._pages:
            self._pages[run.id, page_no] = find_page(self.connection, run, page_no)
        return self._pages[run.id, page_no]

    def load(self, pages: Iterable[tuple[Run, PageParsed]]) -> None:
        """Read everything that the items of these pages need."""
        wanted = list(pages)
        self._last_id = number(self.connection, "SELECT max(id) FROM items") or 0
        self._last_seq = number(self.connection, "SELECT max(seq) FROM sightings") or 0
        keys = {item.key for _, page in wanted for item in page.items}
        sql = f"SELECT id, key, kind, platform, lang, author, at, has_media, doc FROM items WHERE key {_IN}"  # noqa: S608 - constant
        for number_, key, *rest, doc in self.connection.execute(sql, (listed(keys),)):
            item = None if doc is None else ITEM_DECODER.decode(doc)
            self.entries[key] = Entry(number_, key, item, Columns(*rest))
        if gone := [entry.id for entry in self.entries.values() if entry.item is None]:
            self.returning = lifted(self.connection, listed(gone))
        self._load_sights({run for run, _ in wanted})
        self._load_authors({author.key for _, page in wanted for author in page.authors})

    def _load_sights(self, runs: set[Run]) -> None:
        ids = listed(entry.id for entry in self.entries.values())
        if not self.entries:
            return
        for run in runs:
            sql = f"SELECT item, seq, page_no, match_page, fresh, changed FROM sightings WHERE run = ? AND item {_IN}"  # noqa: S608 - constant
            for item, seq, page_no, match_page, fresh, changed in self.connection.execute(sql, (run.id, ids)):
                self.sights[run.id, item] = Sight(seq, page_no, match_page, bool(fresh), bool(changed))
        for task in {run.task for run in runs}:
            sql = f"SELECT item, matched FROM task_items WHERE task = ? AND item {_IN}"  # noqa: S608 - constant
            for item, matched in self.connection.execute(sql, (task, ids)):
                self.task_items[task, item] = bool(matched)
        sql = f"SELECT owner, item FROM hidden WHERE item {_IN}"  # noqa: S608 - constant
        self.hidden.update(self.connection.execute(sql, (ids,)))

    def _load_authors(self, keys: set[str]) -> None:
        sql = f"SELECT key, doc FROM authors WHERE key {_IN}"  # noqa: S608 - constant
        for key, doc in self.connection.execute(sql, (listed(keys),)):
            self.authors[key] = _AUTHOR_DECODER.decode(doc)

    def entry(self, key: str) -> Entry | None:
        """What is known of an item."""
        return self.entries.get(key)

    def new_entry(self, item: StoredItem) -> Entry:
        """A number for a new item."""
        self._last_id += 1
        entry = self.entries[item.key] = Entry(self._last_id, item.key, item, None)
        return entry

    def returns(self, entry: Entry, run: Run, fetched_at: datetime) -> bool:
        """Whether a tombstone becomes an item again by what was collected after its author's ban was lifted."""
        since = self.returning.get(entry.id)
        if since is None or fetched_at < since or not bring_back(self.connection, entry.id, run.owner):
            return False
        del self.returning[entry.id]
        owners = self.connection.execute("SELECT owner FROM hidden WHERE item = ?", (entry.id,))
        still = {(owner, entry.id) for (owner,) in owners}
        self.hidden = {one for one in self.hidden if one[1] != entry.id} | still
        return True

    def rev(self, entry: Entry) -> int:
        """The revision of a tombstone."""
        return number(self.connection, "SELECT rev FROM items WHERE id = ?", entry.id) or 0

    def next_seq(self) -> int:
        """The number of the next sighting."""
        self._last_seq += 1
        return self._last_seq

    def add_sight(self, run: Run, entry: Entry, sight: Sight) -> None:
        """Record the first sighting of an item by an execution."""
        self.sights[run.id, entry.id] = sight
        self.changes.sights.append((run.id, entry.id, sight))
        entry.new_owners.add(run.owner)
        self._list(run, entry, sight)

    def _list(self, run: Run, entry: Entry, sight: Sight) -> None:
        match = sight.match_page is not None
        listed_before = self.task_items.get((run.task, entry.id))
        if listed_before is None:
            self.changes.task_items[run.task, entry.id] = (sight.seq, match)
            self.task_items[run.task, entry.id] = match
        elif match:
            self._promote_in_task(run.task, entry.id)

    def list_again(self, run: Run, entry: Entry, sight: Sight, shown: Shown) -> None:
        """An item that came back is where it was in the lists of an execution that goes on, as it is shown now."""
        if (run.task, entry.id) not in self.task_items:
            sight.ord, sight.seen_at, sight.shown = shown
            entry.new_owners.add(run.owner)
            self.changes.moved[run.id, entry.id] = sight
            self._list(run, entry, sight)

    def move(self, run: Run, entry: Entry, sight: Sight, place: Place) -> None:
        """A sighting is on another page than before, or becomes a match."""
        sight.page_no, sight.match_page = place
        if not sight.new:
            self.changes.moved[run.id, entry.id] = sight
        if place.match is not None:
            self._promote_in_task(run.task, entry.id)

    def _promote_in_task(self, task: int, item: int) -> None:
        if self.task_items.get((task, item)):
            return
        self.task_items[task, item] = True
        if (task, item) in self.changes.task_items:
            self.changes.task_items[task, item] = (self.changes.task_items[task, item][0], True)
        else:
            self.changes.task_matches.append((task, item))

    def merge_authors(self, page: PageParsed) -> None:
        """Take over what a page says of authors."""
        for author in page.authors:
            stored, _ = merge_author(self.authors.get(author.key), author, page.fetched_at)
            self.authors[author.key] = stored
            self.changes.authors[author.key] = stored

    def touch_page(self, row: PageRow) -> None:
        """Write the page's row again."""
        self.changes.pages[row.run, row.page_no] = row

    def write(self) -> None:
        """Write all that changed."""
        dirty = [entry for entry in self.entries.values() if entry.dirty]
        writing.write(self.connection, self.changes, dirty)
