"""Edits: versions of a post with numbers of their own (as X makes them), and texts that change under one number.

Sights may come in any order; the times of a change always hold between them the moment when it happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from xget_contracts.items import Item
from xget_storage.models import Revision, StoredItem

KEPT: Final = 50
"""Texts of a post that are kept, the latest ones."""


def version_ids(item: Item) -> list[str]:
    """Ids of the versions of an edited post, oldest first, as far as the item knows; empty when it knows of no edit."""
    edit = item.extra.get("edit")
    ids: Any = edit.get("ids") if isinstance(edit, dict) else None
    if item.kind != "post" or not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        return []
    return ids


def first_version(item: Item) -> str | None:
    """The key of the first version of a post that is a later one."""
    ids = version_ids(item)
    return f"{item.platform}:{ids[0]}" if len(ids) > 1 else None


def all_versions(items: Iterable[Item]) -> list[str]:
    """Keys of all versions that these know of, oldest first: the longest list that one of them has."""
    longest = max(((version_ids(item), item.platform) for item in items), key=lambda one: len(one[0]), default=([], ""))
    ids, platform = longest
    return [f"{platform}:{one}" for one in ids] if len(ids) > 1 else []


def note_text(stored: StoredItem, seen: Item, moment: datetime) -> bool:
    """A sight of a post that keeps its number when it is edited; True when it is news of an earlier text.

    Before its text is merged. A platform whose versions have numbers of their own shows one text by many cuts.
    """
    if stored.kind != "post" or not stored.text or not seen.text or version_ids(stored) or version_ids(seen):
        return False
    if moment >= stored.content_at:
        if seen.text == stored.text:
            return False
        return _add(stored, Revision(text=stored.text, last_seen=stored.content_at, changed_by=moment))
    changed = False
    for revision in stored.revisions:
        changed |= _narrow(revision, seen.text, moment)
    known = seen.text == stored.text or any(one.text == seen.text for one in stored.revisions)
    if known:
        return changed
    later = [one.last_seen for one in stored.revisions if one.last_seen > moment]
    return _add(stored, Revision(text=seen.text, last_seen=moment, changed_by=min([*later, stored.content_at])))


def _narrow(revision: Revision, text: str, moment: datetime) -> bool:
    """A sight between the bounds of a change moves one of them."""
    if not revision.last_seen < moment < revision.changed_by:
        return False
    if text == revision.text:
        revision.last_seen = moment
    else:
        revision.changed_by = moment
    return True


def _add(stored: StoredItem, revision: Revision) -> bool:
    stored.revisions = sorted([*stored.revisions, revision], key=lambda one: one.last_seen)[-KEPT:]
    return True


def merge_revisions(kept: StoredItem, other: StoredItem) -> None:
    """Take over another store's earlier texts, and that it saw its own. Before that is merged. Again is fine."""
    kept.revisions = _joined([*kept.revisions, *other.revisions])
    note_text(kept, other, other.content_at)
    kept.revisions = _joined(kept.revisions)


def _joined(revisions: Iterable[Revision]) -> list[Revision]:
    """Two stores may know the same change by other sights: it lies within the bounds of both."""
    joined: list[Revision] = []
    for one in sorted(revisions, key=lambda one: (one.text, one.last_seen, one.changed_by)):
        before = joined[-1] if joined else None
        if before is not None and before.text == one.text and one.last_seen < before.changed_by:
            before.last_seen, before.changed_by = one.last_seen, min(before.changed_by, one.changed_by)
        elif before != one:
            joined.append(msgspec.structs.replace(one))
    return sorted(joined, key=lambda one: one.last_seen)[-KEPT:]
