"""How a new sight of an item or author changes what is stored. Pure, and shared by every document store.

The rules: a newer page's fields replace older ones, but an empty field never erases a full one; a post's counts keep
their maximum, a user's are the newest (followers leave); times of sight only widen; what somebody edited stands apart.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from xget_contracts.events import PageParsed
from xget_contracts.items import Author, Item, Metrics
from xget_storage.models import StoredAuthor, StoredItem
from xget_storage.service.revising import merge_revisions, note_text
from xget_storage.service.vanishing import seen_again, seen_gone

_IDENTITY: Final = frozenset(
    {"key", "platform", "native_id", "kind", "role", "metrics", "extra", "id", "gone", "gone_text"}
)
_ITEM_CONTENT: Final = tuple(name for name in Item.__struct_fields__ if name not in _IDENTITY)
_AUTHOR_CONTENT: Final = tuple(name for name in Author.__struct_fields__ if name not in _IDENTITY)
_ITEM_FIELDS: Final = tuple(name for name in Item.__struct_fields__ if name != "role")
_METRICS: Final = Metrics.__struct_fields__

_Kept = TypeVar("_Kept", StoredItem, StoredAuthor)


def first_sight(item: Item, page: PageParsed, *, rev: int = 1) -> StoredItem:
    """The stored form of an item that nobody had before this page; `rev` follows that of a tombstone that it ends."""
    gone_at = page.fetched_at if item.gone else None
    return StoredItem(
        **{name: getattr(item, name) for name in _ITEM_FIELDS},
        rev=rev,
        gone_at=gone_at,
        gone_last=gone_at,
        first_seen=page.fetched_at,
        last_seen=page.fetched_at,
        content_at=page.fetched_at,
        source=page.route,
        first_execution=page.execution_id,
        first_page=page.page_no,
        seen_by={page.owner_id: [page.task_id]},
    )


def merge_item(stored: StoredItem, item: Item, page: PageParsed) -> bool:
    """Put what `page` shows of an item into `stored`; True when its content or counts changed by that."""
    if item.gone:
        changed = seen_gone(stored, item.gone, item.gone_text, page.fetched_at)
        _widen(stored, page.fetched_at)
    else:
        changed = seen_again(stored, page.fetched_at)
        changed |= note_text(stored, item, page.fetched_at)
        changed |= _merge_content(stored, item, page.fetched_at, _ITEM_CONTENT)
    if stored.first_execution == page.execution_id and stored.first_page is not None:
        stored.first_page = min(stored.first_page, page.page_no)  # pages may come late
    tasks = stored.seen_by.setdefault(page.owner_id, [])
    found = page.task_id not in tasks
    if found:
        tasks.append(page.task_id)
    if changed or found:
        stored.rev += 1
    return changed


def merge_author(stored: StoredAuthor | None, author: Author, fetched_at: datetime) -> tuple[StoredAuthor, bool]:
    """The author after `fetched_at`, and whether that is news."""
    if stored is None:
        fields = {name: getattr(author, name) for name in Author.__struct_fields__}
        fresh = StoredAuthor(**fields, first_seen=fetched_at, last_seen=fetched_at, content_at=fetched_at)
        return fresh, True
    changed = _merge_content(stored, author, fetched_at, _AUTHOR_CONTENT)
    stored.rev += changed
    return stored, changed


def merge_stored(kept: StoredItem, other: StoredItem) -> None:
    """Put another store's form of an item into `kept`, by the same rules; edits in `kept` stand. Again is fine."""
    if other.first_seen < kept.first_seen:
        kept.source, kept.first_execution, kept.first_page = other.source, other.first_execution, other.first_page
    if other.gone is None:
        seen_again(kept, other.content_at)
    merge_revisions(kept, other)
    _merge_history(kept, other, _ITEM_CONTENT)
    for moment in (other.gone_at, other.gone_last):
        if other.gone and moment is not None:
            seen_gone(kept, other.gone, other.gone_text, moment)
    kept.edits = {**other.edits, **kept.edits}
    for owner, tasks in other.seen_by.items():
        mine = kept.seen_by.setdefault(owner, [])
        mine += [task for task in tasks if task not in mine]


def merge_stored_author(kept: StoredAuthor, other: StoredAuthor) -> None:
    """Put another store's form of an author into `kept`, by the same rules. Again is fine."""
    _merge_history(kept, other, _AUTHOR_CONTENT)


def _merge_history(kept: _Kept, other: _Kept, names: tuple[str, ...]) -> None:
    _merge_content(kept, other, other.content_at, names)
    kept.first_seen = min(kept.first_seen, other.first_seen)
    kept.last_seen = max(kept.last_seen, other.last_seen)


def _merge_content(stored: _Kept, seen: Item | Author, fetched_at: datetime, names: tuple[str, ...]) -> bool:
    newer = fetched_at >= stored.content_at
    changed = False
    for name in names:
        value = getattr(seen, name)
        if _is_empty(value):
            continue
        kept = getattr(stored, name)
        if value != kept and (newer or _is_empty(kept)):
            setattr(stored, name, value)
            changed = True
    changed |= _merge_extra(stored, seen.extra, newer)
    merge = _newest if isinstance(stored, StoredAuthor) or stored.kind == "user" else _most
    metrics = merge(stored.metrics, seen.metrics, newer)
    if metrics is not stored.metrics:
        stored.metrics = metrics
        changed = True
    if newer:
        stored.content_at = fetched_at
    _widen(stored, fetched_at)
    return changed


def _widen(stored: _Kept, moment: datetime) -> None:
    stored.last_seen = max(stored.last_seen, moment)
    stored.first_seen = min(stored.first_seen, moment)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _merge_extra(stored: _Kept, extra: dict[str, Any], newer: bool) -> bool:
    merged = {**stored.extra, **extra} if newer else {**extra, **stored.extra}
    if merged == stored.extra:
        return False
    stored.extra = merged
    return True


def _newest(kept: Metrics, seen: Metrics, newer: bool) -> Metrics:
    """The newest of each count that is known; the same object when nothing differs."""
    base, over = (kept, seen) if newer else (seen, kept)
    names = {name: getattr(over, name) for name in _METRICS if getattr(over, name) is not None}
    merged = msgspec.structs.replace(base, **names)
    return kept if merged == kept else merged


def _most(kept: Metrics, seen: Metrics, _newer: bool) -> Metrics:
    """The greater of each count; the same object when nothing is greater."""
    greater: dict[str, int] = {}
    for name in _METRICS:
        value = getattr(seen, name)
        if value is not None:
            old = getattr(kept, name)
            if old is None or value > old:
                greater[name] = value
    return msgspec.structs.replace(kept, **greater) if greater else kept
