"""Finds every record of a payload, wherever X put it: posts, users, trends, communities, lists and stand-ins."""

from __future__ import annotations

from typing import Any

import msgspec

from xget_sources.x.parser.users import is_profile, screen_name, user_id
from xget_sources.x.parser.values import Json, as_dict, as_id, as_text


class Found(msgspec.Struct, gc=False):
    """Records of one payload in page order; an id that occurs more than once keeps its fullest record."""

    posts: dict[str, Json]
    users: dict[str, Json]
    trends: dict[str, Json]
    communities: dict[str, Json]
    lists: dict[str, Json]
    nameless: list[tuple[str, Json]]
    """Records without a usable id, with what is wrong with them."""
    wrappers: dict[int, Json]
    """What X put around a post (`id()` of its record): whom it is shown to and what they may do with it."""
    stand_ins: bool
    """The payload shows something in place of posts or users; `stand_ins.read_stand_ins` says what."""


REFERENCE_KEYS = frozenset({"__typename", "rest_id", "id", "id_str"})
"""A record with no more than these only names a post."""
STAND_INS = frozenset({"TweetTombstone", "TweetUnavailable", "TimelineTombstone", "UserUnavailable"})
WRAPPERS = frozenset({"TweetWithVisibilityResults", "TweetPreviewDisplay"})


def post_id(record: Json) -> str | None:
    """The platform's id of a post result, or None."""
    native_id = as_id(record.get("rest_id")) or as_id(record.get("id_str"))
    return native_id or as_id(as_dict(record.get("legacy")).get("id_str"))


def find_records(payload: Any) -> Found:
    """Walk a decoded payload of any depth; nothing in it can make this raise."""
    by_type: dict[str, list[Json]] = {name: [] for name in _COLLECTED}
    posts, users, collected = by_type["Tweet"], by_type["User"], by_type.get
    # Last in, first out and siblings left to right: records come out with the last of the page first.
    stack = [payload] if type(payload) in (dict, list) else []
    pop, push = stack.pop, stack.append
    while stack:
        node = pop()
        if type(node) is dict:
            if "__typename" in node:
                kind = node["__typename"]
                if type(kind) is str and (records := collected(kind)) is not None:
                    records.append(node)
                    if kind in WRAPPERS and type(inner := node.get("tweet")) is dict and "__typename" not in inner:
                        posts.append(inner)
                elif "rest_id" in node or "legacy" in node:
                    _guess(node, posts, users)
            elif "rest_id" in node or "legacy" in node:
                _guess(node, posts, users)
            node = node.values()
        for value in node:
            form = type(value)
            if (form is dict or form is list) and value:
                push(value)
    return _sort(by_type)


_COLLECTED = (
    "Tweet",
    "User",
    "TimelineTrend",
    "Community",
    "TimelineTwitterList",
    "TimelineTweet",
    *WRAPPERS,
    *STAND_INS,
)


def _guess(node: Json, posts: list[Json], users: list[Json]) -> None:
    """Records that X sends without a type, or whose type got lost."""
    legacy = as_dict(node.get("legacy"))
    if "full_text" in legacy or "full_text" in node:
        posts.append(node)
    elif screen_name(node) is not None and "rest_id" in node:
        users.append(node)


def _sort(by_type: dict[str, list[Json]]) -> Found:
    found = Found(
        posts={}, users={}, trends={}, communities={}, lists={}, nameless=[], wrappers={},
        stand_ins=any(by_type[kind] for kind in STAND_INS) or any(map(is_empty_place, by_type["TimelineTweet"])),
    )  # fmt: skip
    for kind in WRAPPERS:
        found.wrappers |= {id(wrapper.get("tweet")): wrapper for wrapper in by_type[kind]}
    _sort_posts(by_type["Tweet"], found)
    _sort_users(by_type["User"], found)
    for record in reversed(by_type["TimelineTrend"]):
        name = record.get("name")
        if type(name) is str and name.strip():
            _keep(found.trends, name, record)
        else:
            found.nameless.append(("a trend without a name", record))
    for record in reversed(by_type["Community"]):
        _group(found.communities, record, found, "a community without a usable id")
    for record in reversed(by_type["TimelineTwitterList"]):
        _group(found.lists, as_dict(record.get("list")), found, "a list without a usable id")
    return found


def _sort_posts(records: list[Json], found: Found) -> None:
    seen: set[int] = set()
    for record in reversed(records):
        if id(record) in seen or record.keys() <= REFERENCE_KEYS:
            continue
        seen.add(id(record))
        if (native_id := post_id(record)) is None:
            found.nameless.append(("a post without a usable id", record))
        else:
            _keep(found.posts, native_id, record)


def _sort_users(records: list[Json], found: Found) -> None:
    for record in reversed(records):
        if not is_profile(record):
            continue
        native_id = user_id(record)
        if native_id is None or screen_name(record) is None:
            found.nameless.append(("a user without a usable id or name", record))
        else:
            _keep(found.users, native_id, record)


def _group(kept: dict[str, Json], record: Json, found: Found, complaint: str) -> None:
    """A community or list: one without a name is only a reference to it."""
    if as_text(record.get("name")) is None:
        return
    if native_id := post_id(record):
        _keep(kept, native_id, record)
    else:
        found.nameless.append((complaint, record))


def is_empty_place(item: Json) -> bool:
    """A timeline's place for a post with no post in it."""
    results = item.get("tweet_results")
    return type(results) is dict and not results.get("result")


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
