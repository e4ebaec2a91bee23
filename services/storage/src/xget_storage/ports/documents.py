"""The store of items, authors and sightings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Struct
from xget_storage.models import AuditEntry, Role, Sighted, Sighting, StoredAuthor, StoredItem, Takedown


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """Which items; every given field must hold. `owner` None = everybody's."""

    owner: str | None = None
    task_id: str | None = None
    execution_id: str | None = None
    role: Role | None = None
    author: str | None = None
    """A username, in any case."""
    lang: str | None = None
    kind: str | None = None
    platform: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive. Both compare with `created_at`, or with the first sight of items that have none."""
    has_media: bool | None = None


class ItemPage(Struct, kw_only=True):
    """A piece of a list. `cursor` is where the next piece begins; None at the end."""

    items: list[StoredItem]
    total: int
    """0 behind a cursor: counting reads the whole list, however small the piece."""
    cursor: list[Any] | None


class SightedPage(Struct, kw_only=True):
    """A piece of a task's list; `matched` of the `total` answer the task. Both are 0 where they were not asked for."""

    items: list[Sighted]
    total: int
    matched: int
    cursor: int | None


class HistoryPage(Struct, kw_only=True):
    """A piece of an item's history. `cursor` is where the next piece begins; None at the end."""

    items: list[Sighting]
    cursor: list[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who changes something, and when."""

    user_id: str
    at: datetime


class DocumentStore(Protocol):
    """Items, authors and sightings. What a write did is durable on return.

    Each item changes at once or not at all. A write that ended early (a crash, Unavailable) may have changed some items
    of several, and is repeatable: done again, in whatever batch, beside whatever other writers, it adds the rest and
    nothing twice, and gives the same counts. Several processes may write the same items where the engine is shared.
    All methods may raise Full (507) or Unavailable (503).
    """

    async def store_pages(self, pages: Sequence[PageParsed], now: datetime) -> list[PageStored]:
        """Upsert what pages hold; the same page again, in whatever batch, changes nothing and is answered the same.

        Counts are those of pages that came in their order: one that comes late takes from later ones what it showed
        before they did. The answers of those that lost to one of `pages` follow behind the answers of these.
        """

    async def get(self, key: str, owner: str | None) -> StoredItem | None:
        """The item, if `owner` has it (None = if anybody has)."""

    async def load(self, keys: Sequence[str]) -> dict[str, StoredItem]:
        """Those of `keys` that are there."""

    async def find(
        self, wanted: ItemFilter, size: int, *, offset: int = 0, after: Sequence[Any] | None = None
    ) -> ItemPage:
        """Newest first; a piece at `offset`, or after a cursor of the piece before."""

    async def sighted(self, wanted: ItemFilter, size: int, *, after: int = 0, counted: bool = True) -> SightedPage:
        """Items of a task or execution, oldest sighting first, each once; needs `task_id` or `execution_id`.

        Counting reads the whole list, however small the piece: who has its counts already does without.
        """

    async def history(
        self, key: str, owner: str | None, size: int, *, newest: bool = True, after: Sequence[Any] | None = None
    ) -> HistoryPage:
        """How executions of `owner` (None = anybody's) saw an item, by time; once per execution.

        Raises ItemNotFound, Invalid (422) for a cursor that is not of this list.
        """

    async def versions(self, first: str, owner: str | None) -> list[StoredItem]:
        """A post and its later versions that are there and that `owner` has (None = anybody), in no order."""

    async def add(self, items: Sequence[StoredItem], actor: str) -> list[bool]:
        """Store items that users brought; False for each whose key is taken or was deleted."""

    async def edit(
        self, key: str, owner: str | None, edits: dict[str, Any], *, rev: int | None, by: Actor
    ) -> StoredItem:
        """Put `edits` over an item; a None value lifts the edit of that field.

        Raises ItemNotFound, ItemShared (it has other owners too), ItemChanged (`rev` given and not its revision).
        """

    async def delete(self, key: str, owner: str | None, *, by: Actor) -> None:
        """Take the item from `owner`, for ever; from everybody when `owner` is None. Raises ItemNotFound."""

    async def audit(self, key: str, owner: str | None) -> list[AuditEntry]:
        """Changes by people, oldest first; deleted items have a history too. Raises ItemNotFound."""

    async def authors(self, keys: Sequence[str]) -> dict[str, StoredAuthor]:
        """Those of the authors that are there."""

    async def unindexed(self, size: int) -> dict[str, StoredItem | int]:
        """Items that people changed and search has not taken over: the item, or the revision of its deletion."""

    async def indexed(self, revs: dict[str, int]) -> None:
        """Search has taken these over, at these revisions."""

    async def scan(self, after: str | None, size: int) -> dict[str, StoredItem | int]:
        """Items by key, beginning after `after`; deleted ones as the revision of their deletion. Empty at the end."""

    async def banned(self) -> frozenset[str]:
        """Keys of the authors whose takedown is active: `store_pages` leaves them out (see `service.bans`).

        So does a `store_pages` that was under way when the takedown was put, or what it wrote is there for `erase`.
        """

    async def takedowns(self, *, pending: bool = False) -> list[Takedown]:
        """All of them by author key, or those with something left to do."""

    async def takedown(self, author_key: str) -> Takedown | None:
        """That of one author."""

    async def put_takedown(self, takedown: Takedown) -> bool:
        """Store it, one version on, if it was not changed since it was read (or is new); False when it was."""

    async def erase(self, author_key: str, after: str | None, *, by: Actor) -> str | None:
        """Go through some items behind `after` (None: from the start) and take down what an author wrote.

        Their profile goes, their items become tombstones in nobody's lists, their sightings lose their counts, reposts
        of their posts their copies (those that name nobody may need a second round). Counts of pages stay. All of it is
        audited and waits for search. Returns where to go on, None at the end. Again is fine.
        """

    async def erased(self, author_key: str) -> tuple[int, int]:
        """How many items were taken down so far, and how many reposts lost their copies."""

    async def close(self) -> None:
        """Release files and threads; twice is fine."""
