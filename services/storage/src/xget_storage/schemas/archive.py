"""What the document store knows, record by record and independent of its engine: as it moves between engines."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from xget_contracts.events import PageStored
from xget_contracts.items import Metrics, Struct
from xget_storage.models import AuditEntry, RawPage, StoredAuthor, StoredItem, Takedown

Kind = Literal["executions", "items", "sightings", "pages", "authors", "audit", "takedowns"]
KINDS: Final[tuple[Kind, ...]] = ("executions", "items", "sightings", "pages", "authors", "audit", "takedowns")
"""In the order in which they may be written: what refers comes after what it refers to."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class ArchivedExecution(Struct, kw_only=True):
    """An execution: the `n`-th of its task."""

    execution_id: str
    task_id: str
    owner_id: str
    n: int

    @property
    def id(self) -> str:
        """Of the execution."""
        return self.execution_id


class ArchivedTask(Struct, kw_only=True):
    """A task that lists an item, the execution that found it first, and whether the item answers the task."""

    task_id: str
    owner_id: str
    execution_id: str
    match: bool


class ArchivedItem(Struct, kw_only=True):
    """An item; `item` None is the tombstone of one that everybody deleted. `hidden` are owners who deleted it."""

    key: str
    rev: int
    item: StoredItem | None
    tasks: list[ArchivedTask] = msgspec.field(default_factory=list)
    hidden: list[str] = msgspec.field(default_factory=list)
    forgotten: str | None = None
    """Author with whose takedown it was deleted, or lost its copy of a text."""

    @property
    def id(self) -> str:
        """Key of the item."""
        return self.key


class ArchivedSighting(Struct, kw_only=True):
    """An item as an execution saw it first, at place `ord` of a page. No metrics: its owner deleted the item."""

    execution_id: str
    key: str
    task_id: str
    owner_id: str
    page_no: int
    match_page: int | None
    ord: int
    seen_at: int
    """Microseconds since 1970."""
    fresh: bool
    changed: bool
    metrics: Metrics | None

    @property
    def id(self) -> str:
        """`execution:item`."""
        return f"{self.execution_id}:{self.key}"


class ArchivedPage(Struct, kw_only=True):
    """A stored page: the digest of its newest delivery and the answer that it got."""

    execution_id: str
    page_no: int
    digest: str
    answer: PageStored

    @property
    def id(self) -> str:
        """`execution/page number`."""
        return f"{self.execution_id}/{self.page_no}"


class ArchivedAuthor(Struct, kw_only=True):
    """An author."""

    author: StoredAuthor

    @property
    def id(self) -> str:
        """Key of the author."""
        return self.author.key


class ArchivedChange(Struct, kw_only=True):
    """A change by a person. `n` orders those of an item and ends at 0: changes made later count on from 1."""

    key: str
    n: int
    owner: str | None
    """Whose copy was changed; None = everybody's."""
    entry: AuditEntry

    @property
    def id(self) -> str:
        """`item#n`."""
        return f"{self.key}#{self.n}"


class ArchivedTakedown(Struct, kw_only=True):
    """An author who was taken down, or may be collected again."""

    takedown: Takedown

    @property
    def id(self) -> str:
        """Key of the author."""
        return self.takedown.author_key


Archived = (
    ArchivedExecution
    | ArchivedItem
    | ArchivedSighting
    | ArchivedPage
    | ArchivedAuthor
    | ArchivedChange
    | ArchivedTakedown
)


def canonical(record: Struct) -> bytes:
    """The same bytes for the same content, on every engine. Places in lists differ by engine: `n`, `ord` stay out."""
    match record:
        case ArchivedExecution():
            return _ENCODER.encode(msgspec.structs.replace(record, n=0))
        case ArchivedSighting():
            return _ENCODER.encode(msgspec.structs.replace(record, ord=0))
        case ArchivedTakedown():  # how far the sweeps are is each store's own
            return _ENCODER.encode((record.takedown.author_key, record.takedown.active, record.takedown.notes))
        case ArchivedItem():
            return _ENCODER.encode(msgspec.structs.replace(record, hidden=sorted(record.hidden)))
        case _:
            return _ENCODER.encode(record)


class ArchivedRawPage(Struct, kw_only=True):
    """An answer of a platform, and when it was stored (seconds since 1970): its age decides when it goes."""

    page: RawPage
    stored_at: float

    @property
    def id(self) -> str:
        """`execution/page number`."""
        return f"{self.page.execution_id}/{self.page.page_no}"
