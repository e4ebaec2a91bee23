"""Finds every record of a payload, wherever X put it: posts, users, trends, communities, lists and stand-ins."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

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
    """The payload shows something in place of posts; `stand_ins.read_stand_ins` says what."""
    unavailable: list[Json]
    """What it shows in place of users."""


REFERENCE_KEYS = frozenset({"__typename", "rest_id", "id", "id_str"})
"""A record with no more than these only names a post."""
STAND_INS = frozenset({"TweetTombstone", "TweetUnavailable", "TimelineTombstone"})
WRAPPERS = frozenset({"TweetWithVisibilityResults", "TweetPreviewDisplay"})
_COLLECTED = (
    *("Tweet", "User", "TimelineTrend", "Community", "TimelineTwitterList", "TimelineTweet", "UserUnavailable"),
    *WRAPPERS,
    *STAND_INS,
)
PLAIN = frozenset(
    # of users
    {"action_counts", "avatar", "banner", "dm_permissions", "location", "media_permissions", "notifications_settings"}
    | {"privacy", "profile_bio", "profile_metadata", "profile_translation", "relationship_counts", "tweet_counts"}
    | {"relationship_perspectives", "verification", "verification_info", "website", "tipjar_settings"}
    # of posts
    | {"edit_control", "views", "display_text_range", "indices", "hashtags", "symbols", "urls", "user_mentions"}
    | {"timestamps", "place", "quoted_status_permalink", "richtext", "previous_counts", "binding_values"}
    | {"card_platform", "grok_translated_post_with_availability"}
    # of media
    | {"sizes", "original_info", "features", "ext_media_availability", "video_info", "media_results"}
    # of timelines
    | {"clientEventInfo", "feedbackInfo", "highlights", "displayTreatment"}
)
"""Fields of X that have no record in them: two thirds of a page. A glance makes sure of it, which is faster."""


def post_id(record: Json) -> str | None:
    """The platform's id of a post result, or None."""
    native_id = as_id(record.get("rest_id")) or as_id(record.get("id_str"))
    return native_id or as_id(as_dict(record.get("legacy")).get("id_str"))


def find_records(payload: Any) -> Found:
    """Walk a decoded payload of any depth; nothing in it can make this raise."""
    by_type, passed_by = _walk(payload, PLAIN)
    if _holds_records(passed_by):
        by_type, _ = _walk(payload, frozenset())
    return _sort(by_type)


def _walk(payload: Any, plain: frozenset[str]) -> tuple[dict[str, list[Json]], list[Any]]:
    """Records by type, the last of the page first, and the values of `plain` fields, which are not looked into."""
    by_type: dict[str, list[Json]] = {name: [] for name in _COLLECTED}
    by_type["TweetPreview"] = by_type["Tweet"]
    passed_by: list[Any] = []
    stack = [payload]
    pop, push, pass_by = stack.pop, stack.append, passed_by.append
    while stack:  # last in, first out and siblings left to right
        node = pop()
        if type(node) is list:
            for value in node:
                form = type(value)
                if (form is dict or form is list) and value:
                    push(value)
        elif type(node) is dict:
            if "__typename" in node or "rest_id" in node or "legacy" in node:
                _take(node, by_type)
            for name, value in node.items():
                form = type(value)
                if (form is dict or form is list) and value:
                    if name in plain:
                        pass_by(value)
                    else:
                        push(value)
    return by_type, passed_by


def _take(node: Json, by_type: dict[str, list[Json]]) -> None:
    """Keep an object that is a record, or looks like one though X gave it no type or its type got lost."""
    kind = node.get("__typename")
    if type(kind) is str and (records := by_type.get(kind)) is not None:
        records.append(node)
        if kind in WRAPPERS and type(inner := node.get("tweet")) is dict and "__typename" not in inner:
            by_type["Tweet"].append(inner)
    elif "rest_id" in node or "legacy" in node:
        legacy = as_dict(node.get("legacy"))
        if "full_text" in legacy or "full_text" in node:
            by_type["Tweet"].append(node)
        elif "rest_id" in node and screen_name(node) is not None:
            by_type["User"].append(node)


def _holds_records(values: list[Any]) -> bool:
    """True when a record may be in values that should have none: each has one of these fields."""
    try:
        text = orjson.dumps(values)
    except TypeError:  # too deep for orjson
        return True
    return b'"__typename"' in text or b'"rest_id"' in text or b'"legacy"' in text


def _sort(by_type: dict[str, list[Json]]) -> Found:
    found = Found(
        posts={}, users={}, trends={}, communities={}, lists={}, nameless=[], wrappers={}, unavailable=[],
        stand_ins=any(by_type[kind] for kind in STAND_INS) or any(map(is_empty_place, by_type["TimelineTweet"])),
    )  # fmt: skip
    found.unavailable = by_type["UserUnavailable"]
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
