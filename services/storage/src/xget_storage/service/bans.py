"""What is left of a page, or an item, when authors are taken down. Pure, and shared by every document store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeVar

import msgspec

from xget_contracts.events import PageParsed
from xget_contracts.items import Item
from xget_storage.models import StoredItem

Part = Literal["author", "copy"]
"""An item is theirs, or a repost by somebody else with a copy of their text."""

_KEPT: Final = frozenset({
    "key", "platform", "native_id", "kind", "role", "url", "lang", "created_at", "author_key", "author_id",
    "author_username", "author_name", "conversation_id", "in_reply_to_id", "quoted_id", "reposted_id", "source_app",
    "source_url", "sensitive", "gone", "gone_text", "metrics",
})  # fmt: skip
"""What a repost keeps: who, when and what it is about."""
_Kept = TypeVar("_Kept", bound=Item)


class Bans:
    """Authors who stay away, by key (`platform:id`)."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = frozenset(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def is_theirs(self, item: Item) -> bool:
        """Whether one of them wrote it, or it is the profile of one."""
        return (
            item.author_key in self._keys
            or (item.author_id is not None and f"{item.platform}:{item.author_id}" in self._keys)
            or (item.kind == "user" and f"{item.platform}:{item.native_id}" in self._keys)
        )

    def is_copy(self, item: Item) -> bool:
        """Whether it is a repost whose text names one of them as its author."""
        if item.reposted_id is None and not item.text.startswith("RT @"):
            return False
        named = item.mentions[0].id if item.mentions and item.text.startswith("RT @") else None
        return named is not None and f"{item.platform}:{named}" in self._keys

    def part(self, item: Item) -> Part | None:
        """What an item is to them."""
        return "author" if self.is_theirs(item) else "copy" if self.is_copy(item) else None

    def cleaned(self, page: PageParsed) -> PageParsed:
        """The page without them; the same one when they are not on it."""
        parts = {item.key: part for item in page.items if (part := self.part(item)) is not None}
        theirs = {item.native_id for item in page.items if parts.get(item.key) == "author"}
        parts |= {item.key: "copy" for item in page.items if item.key not in parts and item.reposted_id in theirs}
        authors = [author for author in page.authors if author.key not in self._keys]
        if not parts and len(authors) == len(page.authors):
            return page
        items = [emptied(item) if item.key in parts else item for item in page.items if parts.get(item.key) != "author"]
        return msgspec.structs.replace(page, items=items, authors=authors)


def emptied(item: _Kept) -> _Kept:
    """A repost without what it copied; what the store itself knows of it stays."""
    changes = {name: value for name, value in _defaults() if getattr(item, name) != value}
    if isinstance(item, StoredItem) and item.revisions:
        changes["revisions"] = []
    return msgspec.structs.replace(item, **changes)


def is_empty(item: Item) -> bool:
    """Whether nothing copied is left."""
    return all(getattr(item, name) == value for name, value in _defaults())


def _defaults() -> Iterable[tuple[str, Any]]:
    for field in msgspec.structs.fields(Item):
        if field.name not in _KEPT:
            factory = field.default_factory
            yield field.name, field.default if factory is msgspec.NODEFAULT else factory()
