"""An item as one document: what was collected, whose it is, and notes that make its writes repeatable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from bson.raw_bson import RawBSONDocument

from xget_contracts.items import Struct
from xget_storage.adapters.mongo.encoding import micros, pack, unpacked
from xget_storage.models import AuditEntry, Role, StoredItem
from xget_storage.service.revising import first_version

_APART: Final = frozenset({"key", "seen_by", "rev"})


class TaskEntry(Struct, kw_only=True):
    """A task that sighted the item: `e` is the execution that did so first, `m` whether the item answers the task."""

    t: str
    o: str
    e: str
    m: bool

    def lists(self) -> tuple[str, str]:
        """Names of the lists that the item is in: of the task, and of its matches or its context."""
        return list_name(self.t, self.o, None), list_name(self.t, self.o, "match" if self.m else "context")


def list_name(task: str, owner: str, role: Role | None) -> str:
    """What `lists` holds for a task, so that one equality finds its items in an index."""
    return f"{task}@{owner}" if role is None else f"{task}@{owner}:{role}"


class Mark(Struct, kw_only=True):
    """A page that is merged into a known item: whether that changed it. Kept until the page itself is stored."""

    p: str
    """`execution/page number`."""
    d: str
    """Digest of the page."""
    c: bool


class Todo(Struct, kw_only=True):
    """A change by a person whose copies (history, lists) have still to follow the item."""

    note: AuditEntry
    rev: int
    owner: str | None = None
    forget: list[tuple[str, str]] = msgspec.field(default_factory=list)
    """Owner and task of the lists that lose the item."""


class _Notes(Struct, kw_only=True):
    """What an item's document says beside the item."""

    v: int
    rev: int
    owners: list[str]
    tasks: list[TaskEntry] = msgspec.field(default_factory=list)
    hidden: list[str] = msgspec.field(default_factory=list)
    marks: list[Mark] = msgspec.field(default_factory=list)
    todo: list[Todo] = msgspec.field(default_factory=list)
    unindexed: int | None = None
    forgotten: str | None = None


@dataclass(slots=True, kw_only=True)
class ItemDocument:
    """`item` None is a tombstone; `v` is that of the document as it was read, 0 before there is one."""

    key: str
    item: StoredItem | None
    rev: int = 1
    v: int = 0
    tasks: list[TaskEntry] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """Owners who deleted the item: no collection of theirs brings it back."""
    marks: list[Mark] = field(default_factory=list)
    todo: list[Todo] = field(default_factory=list)
    unindexed: int | None = None
    forgotten: str | None = None
    """Author with whose takedown it was deleted, or lost its copy of a text."""

    def visible_to(self, owner: str | None) -> StoredItem | None:
        """The item, if `owner` has it (None = anybody)."""
        return self.item if self.item is not None and (owner is None or owner in self.item.seen_by) else None

    def task(self, task: str, owner: str) -> TaskEntry | None:
        """What is known of a task."""
        return next((one for one in self.tasks if one.t == task and one.o == owner), None)

    def packed(self) -> RawBSONDocument:
        """As it is written, one version on."""
        notes: dict[str, Any] = {"_id": self.key, "v": self.v + 1, "rev": self.item.rev if self.item else self.rev}
        notes["owners"] = list(self.item.seen_by) if self.item else []
        for name in ("tasks", "marks", "todo"):
            if values := getattr(self, name):
                notes[name] = msgspec.to_builtins(values)
        if self.tasks:
            notes["lists"] = [name for one in self.tasks for name in one.lists()]
        if self.hidden:
            notes["hidden"] = self.hidden
        if self.unindexed is not None:
            notes["unindexed"] = self.unindexed
        if self.forgotten is not None:
            notes["forgotten"] = self.forgotten
        if self.item is not None and (first := first_version(self.item)) is not None:
            notes["first"] = first
        if self.item is None:
            return pack(Struct(), notes, frozenset())
        return pack(self.item, {**notes, "shown": columns(self.item)}, _APART)


def columns(item: StoredItem) -> dict[str, Any]:
    """What lists filter and sort by: the item as its owners see it."""
    shown = item.visible()
    found: dict[str, Any] = {
        "at": micros(shown.created_at or shown.first_seen),
        "kind": shown.kind,
        "platform": shown.platform,
        "media": bool(shown.media),
    }
    if shown.lang is not None:
        found["lang"] = shown.lang
    if shown.author_username:
        found["author"] = shown.author_username.casefold()
    return found


def item_document(document: Mapping[str, Any]) -> ItemDocument:
    """What `packed` wrote."""
    fields = unpacked(document)
    notes = msgspec.convert(fields, _Notes)
    key = fields["_id"]
    item: StoredItem | None = None
    if "shown" in fields:
        seen_by: dict[str, list[str]] = {owner: [] for owner in notes.owners}
        for entry in notes.tasks:
            seen_by.setdefault(entry.o, []).append(entry.t)
        item = msgspec.convert({**fields, "key": key, "seen_by": seen_by}, StoredItem)
    return ItemDocument(
        key=key, item=item, rev=notes.rev, v=notes.v, tasks=notes.tasks, hidden=notes.hidden, marks=notes.marks,
        todo=notes.todo, unindexed=notes.unindexed, forgotten=notes.forgotten,
    )  # fmt: skip


def stored_item(document: Mapping[str, Any]) -> StoredItem | None:
    """The item of a document; None for a tombstone."""
    return item_document(document).item
