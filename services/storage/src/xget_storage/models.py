"""What storage keeps: the struct of a stored item, and what callers see of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from xget_contracts.items import Author, Item, Metrics, Struct

Role = Literal["match", "context"]
IMPORTED: Final = "import"
"""`source` of items that users brought themselves."""


class Revision(Struct, kw_only=True, omit_defaults=False):
    """A text that a post once had under the same number. It changed between `last_seen` and `changed_by`."""

    text: str
    last_seen: datetime
    """The last sight of this text."""
    changed_by: datetime
    """The first sight of another one after that."""


class StoredItem(Item, kw_only=True):
    """An item as collected, with its history. `role` means nothing here: it belongs to sightings."""

    rev: int = 1
    """Grows by one on every change that a reader can see, times of sightings apart."""
    first_seen: datetime
    last_seen: datetime
    content_at: datetime
    """`fetched_at` of the page whose text this is."""
    source: str
    """The route that brought it, or "import"."""
    first_execution: str | None = None
    first_page: int | None = None
    seen_by: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Owner → the tasks of theirs that sighted it, oldest first."""
    alive_at: datetime | None = None
    """With `gone`: when it was last seen as it was; None when it never was. It went between this and `gone_at`."""
    gone_at: datetime | None = None
    """With `gone`: when a stand-in was first seen in its place after that."""
    gone_last: datetime | None = None
    """With `gone`: when a stand-in was last seen."""
    revisions: list[Revision] = msgspec.field(default_factory=list)
    """Texts that it had before, oldest first: of platforms that change a post under its number."""
    edits: dict[str, Any] = msgspec.field(default_factory=dict)
    """Fields that a user set: they stand over what was collected, and no collection touches them."""

    def visible(self) -> StoredItem:
        """The item with the user's edits over it."""
        return msgspec.structs.replace(self, **self.edits) if self.edits else self


class Draft(Item, kw_only=True):
    """An item as a user brings it; `native_id` "" asks for a new one."""


class StoredAuthor(Author, kw_only=True):
    """An author with their history."""

    rev: int = 1
    first_seen: datetime
    last_seen: datetime
    content_at: datetime


class ItemView(Item, kw_only=True, omit_defaults=False):
    """A stored item as one caller sees it; `role`, `execution_id` and `seen_at` come with lists of a task's items."""

    role: Role | UnsetType = UNSET  # type: ignore[assignment]  # a view may leave the role out
    execution_id: str | UnsetType = UNSET
    seen_at: datetime | UnsetType = UNSET
    highlights: list[str] | UnsetType = UNSET
    rev: int
    first_seen: datetime
    last_seen: datetime
    source: str
    alive_at: datetime | None
    """Of a post that is gone: last seen as it was."""
    gone_at: datetime | None
    """Of a post that is gone: a stand-in was first seen."""
    superseded_by: str | UnsetType | None = UNSET
    """With one item alone: the key of the latest version of a post that was edited since; null for the latest."""
    task_ids: list[str]
    """Tasks of the caller that found it (of everybody, for an administrator)."""
    owner_ids: list[str]
    """The caller (everybody who has it, for an administrator)."""
    edited: list[str]
    """Names of the fields that a user set."""


_SHOWN: Final = tuple(name for name in Item.__struct_fields__ if name != "role")


def view(stored: StoredItem, owner: str | None, **more: Any) -> ItemView:
    """What `owner` (None = an administrator) sees of an item; ids of other owners and their tasks stay hidden."""
    shown = stored.visible()
    seen_by = stored.seen_by if owner is None else {owner: stored.seen_by.get(owner, [])}
    return ItemView(
        **{name: getattr(shown, name) for name in _SHOWN},
        rev=stored.rev,
        first_seen=stored.first_seen,
        last_seen=stored.last_seen,
        source=stored.source,
        alive_at=stored.alive_at,
        gone_at=stored.gone_at,
        task_ids=[task for tasks in seen_by.values() for task in tasks],
        owner_ids=list(seen_by),
        edited=sorted(stored.edits),
        **more,
    )


def fingerprint(item: StoredItem) -> str:
    """SHA-256 of an item as an administrator sees it, times of sight apart."""
    shown = view(item, None)
    shown.last_seen = shown.first_seen
    return hashlib.sha256(msgspec.json.encode(shown)).hexdigest()


class Sighted(Struct, kw_only=True):
    """An item in the list of a task or execution."""

    seq: int
    """Place in the list; grows with each sighting."""
    item: StoredItem
    role: Role
    execution_id: str
    seen_at: datetime


class Sighting(Struct, kw_only=True):
    """An item as one execution saw it first: when, where, and with which counts."""

    seen_at: datetime
    execution_id: str
    task_id: str
    owner_id: str
    page_no: int
    match_page: int | None
    """Where the execution first saw it as an answer; None when it only came along."""
    metrics: Metrics


class AuditEntry(Struct, kw_only=True, omit_defaults=False):
    """One change by a person. Hashes are SHA-256 of the item as its owners saw it; None = it was not there."""

    key: str
    action: Literal["create", "edit", "delete"]
    actor: str
    at: datetime
    before: str | None
    after: str | None
    fields: Sequence[str] = ()


class TakedownNote(Struct, kw_only=True, omit_defaults=False):
    """What a person decided about an author, and why. Without content."""

    action: Literal["forget", "lift"]
    actor: str
    at: datetime
    reason: str


TakedownState = Literal["running", "checking", "done", "lifted"]
"""First sweep under way; second one waits or is under way; both are through; the ban is lifted."""


class Takedown(Struct, kw_only=True):
    """An author whose content goes, and stays away until the ban is lifted. `author_key` is `platform:id`."""

    author_key: str
    state: TakedownState = "running"
    pending: bool = True
    """Something is still to be done: a sweep, or telling others."""
    stage: Literal["announce", "documents", "raw_pages"] = "announce"
    after: str | None = None
    """Where the stage goes on; None at its beginning."""
    due: datetime
    """Not before then."""
    items: int = 0
    """Items of the author that were taken down."""
    reposts: int = 0
    """Reposts by others that lost their copy of a text."""
    raw_pages: int = 0
    """Raw pages that the author was taken out of."""
    notes: list[TakedownNote] = msgspec.field(default_factory=list)
    """Oldest first."""
    v: int = 0
    """Grows with each write; 0 before the first."""

    @property
    def active(self) -> bool:
        """Whether the author stays away."""
        return self.state != "lifted"


class RawPage(Struct, kw_only=True):
    """One answer of a platform as received."""

    execution_id: str
    page_no: int
    task_id: str
    owner_id: str
    platform: str
    operation: str
    fetched_at: datetime
    sha256: str
    body_zstd: bytes
    forgotten: bool = False
    """An author was taken out of it: it is no longer as received."""
