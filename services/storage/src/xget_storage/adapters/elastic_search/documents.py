"""Items as the index keeps them.

A version is twice the item's revision, and one more for a deletion: so a deletion out-ranks its own revision and all
before, whenever they arrive. It stays as a document of its own, because the engine forgets deleted versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from hashlib import blake2b
from typing import Final

import msgspec

from xget_storage.adapters.sqlite_rows import columns
from xget_storage.models import StoredItem
from xget_storage.service.analysis import Analyzer

_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_LONGEST_TOKEN: Final = 255
_MAYBE_LONG: Final = re.compile(f"[^ ]{{{_LONGEST_TOKEN // 2},}}")
_SEPARATOR: Final = "\x1f"

Line = tuple[str, bytes]
"""A key, and its two lines of a bulk request."""


class IndexedItem(msgspec.Struct, omit_defaults=True):
    """A document; a deletion has a key and `deleted` only."""

    key: str
    deleted: bool = False
    terms: str = ""
    kind: str | None = None
    platform: str | None = None
    lang: str | None = None
    author: str | None = None
    at: int | None = None
    day: int | None = None
    has_media: bool | None = None
    owners: list[str] = []
    tasks: list[str] = []
    scopes: list[str] = []


class _Action(msgspec.Struct):
    _id: str
    version: int
    version_type: str = "external_gte"


class _Index(msgspec.Struct):
    index: _Action


_ENCODER: Final = msgspec.json.Encoder()


def indexed(item: StoredItem, analyzer: Analyzer) -> IndexedItem:
    """What search keeps of an item."""
    column = columns(item)
    return IndexedItem(
        key=item.key,
        terms=fitting(analyzer.item_terms(item)),
        kind=column.kind,
        platform=column.platform,
        lang=column.lang,
        author=column.author,
        at=column.at,
        day=column.at // _DAY,
        has_media=bool(column.has_media),
        owners=list(item.seen_by),
        tasks=[task for tasks in item.seen_by.values() for task in tasks],
        scopes=[scope(owner, task) for owner, tasks in item.seen_by.items() for task in tasks],
    )


def item_lines(items: Iterable[StoredItem], analyzer: Analyzer) -> Iterator[Line]:
    """Lines that take over items, of each key the newest revision."""
    newest: dict[str, StoredItem] = {}
    for item in items:
        if item.key not in newest or newest[item.key].rev < item.rev:
            newest[item.key] = item
    for item in newest.values():
        yield _line(2 * item.rev, indexed(item, analyzer))


def deletion_lines(revs: Mapping[str, int]) -> Iterator[Line]:
    """Lines that forget items."""
    for key, rev in revs.items():
        yield _line(2 * rev + 1, IndexedItem(key=key, deleted=True))


def _line(version: int, document: IndexedItem) -> Line:
    action = _ENCODER.encode(_Index(_Action(document.key, version)))
    return document.key, action + b"\n" + _ENCODER.encode(document) + b"\n"


def scope(owner: str, task: str) -> str:
    """A task of one owner: tasks of others may be called the same."""
    return f"{owner}{_SEPARATOR}{task}"


def fitting(terms: str) -> str:
    """Tokens, those that the engine would cut at 255 UTF-16 units replaced by a hash."""
    if _MAYBE_LONG.search(terms) is None:
        return terms
    return " ".join(_short(token) for token in terms.split(" "))


def _short(token: str) -> str:
    if len(token.encode("utf-16-le")) <= 2 * _LONGEST_TOKEN:
        return token
    return blake2b(token.encode(), digest_size=32).hexdigest()
