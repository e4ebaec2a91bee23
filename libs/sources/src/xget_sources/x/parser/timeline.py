"""A timeline's entries and cursors, in page order: what a task asked for, as X lists it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from xget_sources.x.parser.users import user_id
from xget_sources.x.parser.values import Json, as_dict, as_id, as_list, as_text, dig
from xget_sources.x.parser.walk import post_id

_ONWARD = frozenset({"Bottom", "ShowMoreThreads", "ShowMoreThreadsPrompt"})
"""Cursors that lead to the next page; a conversation's are called otherwise than a list's."""
_ASIDE = ("who-to-follow-", "messageprompt-", "promoted-", "similar-to-")


class Entry(msgspec.Struct, frozen=True):
    """One post, user or trend that a timeline lists. `aside` marks advertisements and suggestions."""

    kind: Literal["post", "user", "trend"]
    id: str
    record: Json
    group: int
    """Number of the timeline's entry: the posts of one conversation share it."""
    pinned: bool = False
    aside: bool = False


class Branch(msgspec.Struct, frozen=True):
    """Where a conversation goes on that a page shows the beginning of."""

    cursor: str
    beside: tuple[str, ...]
    """Ids of the posts that are shown of it."""


class Timeline(msgspec.Struct):
    """One page of a timeline. `ended` is X's word that nothing follows below."""

    entries: list[Entry] = []
    cursor: str | None = None
    branches: list[Branch] = []
    ended: bool = False
    found: bool = False
    """The payload has a timeline at all."""


def read_timeline(payload: Any) -> Timeline:
    """The first timeline of a payload; an empty one when there is none. Never raises for a strange payload."""
    page = Timeline()
    container = _container(payload)
    if container is None:
        return page
    page.found = True
    for instruction in as_list(container.get("instructions")):
        if type(instruction) is not dict:
            continue
        if instruction.get("type") == "TimelineTerminateTimeline" and instruction.get("direction") in ("Bottom", None):
            page.ended = True
        pinned = instruction.get("type") == "TimelinePinEntry"
        listed = [*as_list(instruction.get("entries")), *as_list(instruction.get("moduleItems"))]
        for raw in [*listed, instruction.get("entry")]:
            if type(raw) is dict:
                _read_entry(raw, page, pinned=pinned)
    for raw in as_list(container.get("items_results")):
        _add(page, _user(as_dict(dig(raw, "result"))), len(page.entries), pinned=False, aside=False)
    if page.cursor is None:
        page.cursor = as_text(dig(container, "slice_info", "next_cursor"))
    return page


def _container(payload: Any) -> Json | None:
    """The object that holds `instructions` (or a community's `items_results`), nearest to the top."""
    level: list[Any] = [payload]
    while level:
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                if type(node.get("instructions")) is list or type(node.get("items_results")) is list:
                    return node
                below += node.values()
            elif type(node) is list:
                below += node
        level = [value for value in below if type(value) in (dict, list)]
    return None


def _read_entry(raw: Json, page: Timeline, *, pinned: bool) -> None:
    content = as_dict(raw.get("content")) or as_dict(raw.get("item"))
    name = as_text(raw.get("entryId")) or ""
    for holder in (content, as_dict(content.get("itemContent"))):
        if (kind := holder.get("cursorType")) is not None:
            if type(kind) is str and kind in _ONWARD:
                page.cursor = as_text(holder.get("value")) or page.cursor
            elif kind == "ShowMore" and (value := as_text(holder.get("value"))):
                page.branches.append(Branch(value, tuple(entry.id for entry in page.entries)))
            return
    aside, group = name.startswith(_ASIDE), len(page.entries)
    for item in _items(content):
        record = _post(item) or _user(item) or _trend(item)
        _add(page, record, group, pinned=pinned, aside=aside or "promotedMetadata" in item)
        if item.get("cursorType") == "ShowMore" and (value := as_text(item.get("value"))):
            page.branches.append(Branch(value, tuple(entry.id for entry in page.entries[group:])))


def _items(content: Json) -> Iterator[Json]:
    """The entry's own item, then those of its module."""
    if own := as_dict(content.get("itemContent")):
        yield own
    for raw in as_list(content.get("items")):
        if item := as_dict(dig(raw, "item", "itemContent")):
            yield item


_Found = tuple[Literal["post", "user", "trend"], str, Json]


def _add(page: Timeline, found: _Found | None, group: int, *, pinned: bool, aside: bool) -> None:
    if found is not None:
        page.entries.append(Entry(*found, group, pinned=pinned, aside=aside))


def _post(item: Json) -> _Found | None:
    result = as_dict(dig(item, "tweet_results", "result"))
    if result.get("__typename") in ("TweetWithVisibilityResults", "TweetPreviewDisplay"):
        result = as_dict(result.get("tweet"))
    native_id = post_id(result)
    return ("post", native_id, result) if native_id else None


def _user(item: Json) -> _Found | None:
    result = as_dict(dig(item, "user_results", "result")) or item
    if result.get("__typename") != "User":
        return None
    native_id = user_id(result)
    return ("user", native_id, result) if native_id else None


def _trend(item: Json) -> _Found | None:
    name = as_text(item.get("name"))
    return ("trend", name, item) if name and item.get("__typename") == "TimelineTrend" else None


def author_of(record: Json) -> str | None:
    """Id of a post record's author."""
    flat = {**as_dict(record.get("legacy")), **record}
    embedded = as_dict(dig(flat, "core", "user_results", "result"))
    return as_id(flat.get("user_id_str")) or user_id(embedded)
