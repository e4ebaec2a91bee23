"""Finds every post, user and trend of a payload, wherever X put it."""

from __future__ import annotations

from typing import Any

import msgspec

from xget_sources.x.parser.users import is_profile, screen_name, user_id
from xget_sources.x.parser.values import Json, as_dict, as_id


class Found(msgspec.Struct, gc=False):
    """Records of one payload in page order; an id that occurs more than once keeps its fullest record."""

    posts: dict[str, Json]
    users: dict[str, Json]
    trends: dict[str, Json]
    nameless: list[tuple[str, Json]]
    """Records without a usable id, with what is wrong with them."""


REFERENCE_KEYS = frozenset({"__typename", "rest_id", "id", "id_str"})
"""A record with no more than these only names a post."""


def post_id(record: Json) -> str | None:
    """The platform's id of a post result, or None."""
    native_id = as_id(record.get("rest_id")) or as_id(record.get("id_str"))
    return native_id or as_id(as_dict(record.get("legacy")).get("id_str"))


def find_records(payload: Any) -> Found:
    """Walk a decoded payload of any depth; nothing in it can make this raise."""
    posts: list[Json] = []
    users: list[Json] = []
    trends: list[Json] = []
    # Last in, first out and siblings left to right: records come out with the last of the page first.
    stack = [payload] if type(payload) in (dict, list) else []
    pop, push = stack.pop, stack.append
    while stack:
        node = pop()
        if type(node) is dict:
            if "__typename" in node or "rest_id" in node or "legacy" in node:
                kind = node.get("__typename")
                if kind == "Tweet":
                    posts.append(node)
                elif kind == "User":
                    users.append(node)
                elif kind == "TimelineTrend":
                    trends.append(node)
                elif kind == "TweetWithVisibilityResults":
                    if type(inner := node.get("tweet")) is dict and "__typename" not in inner:
                        posts.append(inner)
                elif "rest_id" in node or "legacy" in node:
                    _guess(node, posts, users)
            node = node.values()
        for value in node:
            form = type(value)
            if (form is dict or form is list) and value:
                push(value)
    return _sort(posts, users, trends)


def _guess(node: Json, posts: list[Json], users: list[Json]) -> None:
    """Records that X sends without a type, or whose type got lost."""
    legacy = as_dict(node.get("legacy"))
    if "full_text" in legacy or "full_text" in node:
        posts.append(node)
    elif screen_name(node) is not None and "rest_id" in node:
        users.append(node)


def _sort(posts: list[Json], users: list[Json], trends: list[Json]) -> Found:
    found = Found(posts={}, users={}, trends={}, nameless=[])
    seen: set[int] = set()
    for record in reversed(posts):
        if id(record) in seen or record.keys() <= REFERENCE_KEYS:
            continue
        seen.add(id(record))
        if (native_id := post_id(record)) is None:
            found.nameless.append(("a post without a usable id", record))
        else:
            _keep(found.posts, native_id, record)
    for record in reversed(users):
        if not is_profile(record):
            continue
        native_id = user_id(record)
        if native_id is None or screen_name(record) is None:
            found.nameless.append(("a user without a usable id or name", record))
        else:
            _keep(found.users, native_id, record)
    for record in reversed(trends):
        name = record.get("name")
        if type(name) is str and name.strip():
            _keep(found.trends, name, record)
        else:
            found.nameless.append(("a trend without a name", record))
    return found


def _keep(records: dict[str, Json], key: str, record: Json) -> None:
    """The later of two equally full records wins: it is the one that twscrape keeps."""
    known = records.get(key)
    if known is None or _fullness(record) >= _fullness(known):
        records[key] = record


def _fullness(record: Json) -> int:
    """How much a record tells: what only some of a post's occurrences carry, then its number of fields."""
    legacy = as_dict(record.get("legacy"))
    has_text = "full_text" in legacy or "full_text" in record or bool(as_dict(record.get("core")))
    has_views = "count" in as_dict(record.get("views"))
    return 100 * has_text + 20 * has_views + 20 * ("note_tweet" in record) + len(legacy)
