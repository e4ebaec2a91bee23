"""What a batch works on: rows in memory, and what is to be written of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from xget_contracts.events import PageStored
from xget_contracts.items import Item
from xget_storage.adapters.sqlite_rows import Columns
from xget_storage.models import StoredAuthor, StoredItem
from xget_storage.service.counting import PageCounts, Place


@dataclass(slots=True, frozen=True)
class Run:
    """An execution, by the numbers that rows use."""

    id: int
    task: int
    owner: int


@dataclass(slots=True)
class Entry:
    """An item; `item` None is a tombstone. `columns` None means that it has no row yet."""

    id: int
    key: str
    item: StoredItem | None
    columns: Columns | None
    dirty: bool = False
    new_owners: set[int] = field(default_factory=set)


class Shown(NamedTuple):
    """An item on a page: its place there, when that was in microseconds, and the item."""

    ord: int
    seen_at: int
    item: Item | None


@dataclass(slots=True)
class Sight:
    """A sighting. `shown` is what the page showed where it is new, or seen on an earlier page than before."""

    seq: int
    page_no: int
    match_page: int | None
    fresh: bool
    changed: bool
    ord: int = 0
    seen_at: int = 0
    shown: Item | None = None
    new: bool = False

    @property
    def place(self) -> Place:
        """Where the execution saw the item."""
        return Place(self.page_no, self.match_page)


@dataclass(slots=True)
class PageRow:
    """A page's counts and the answer it got; an empty digest means that it is not stored."""

    run: int
    page_no: int
    digest: bytes
    counts: PageCounts
    answer: PageStored | None
    touched: set[int] = field(default_factory=set)
    """Pages of the run that lost counts to this one."""


@dataclass(slots=True)
class Changes:
    """What a batch has to write, items apart."""

    sights: list[tuple[int, int, Sight]] = field(default_factory=list)
    """Run, item, sighting."""
    moved: dict[tuple[int, int], Sight] = field(default_factory=dict)
    """Run, item → a sighting that is known, and is on another page now."""
    task_items: dict[tuple[int, int], tuple[int, bool]] = field(default_factory=dict)
    """Task and item → place in the list, answers the task."""
    task_matches: list[tuple[int, int]] = field(default_factory=list)
    authors: dict[str, StoredAuthor] = field(default_factory=dict)
    pages: dict[tuple[int, int], PageRow] = field(default_factory=dict)
