"""Every post of a payload, counted without the parser, and payloads that drift in any way."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson

REFERENCE = {"__typename", "rest_id", "id", "id_str"}
STRANGE: list[Any] = [None, 5, -1, 1.5, True, "", "x", [], {}, [None], {"a": 1}, [[]], "Tweet", ["…"], "9" * 25]
HUGE: list[Any] = [2**63, 2**64 - 1, -(2**63), 1.7e308, "9" * 400, "x" * 100_000]
TYPED = {"User", "TimelineTrend", "Community", "TimelineTwitterList", "TimelineTweet", "UserUnavailable"} | {
    "TweetTombstone", "TweetUnavailable", "TimelineTombstone", "TweetWithVisibilityResults", "TweetPreviewDisplay"
}  # fmt: skip
KEYS = [
    "__typename",
    "rest_id",
    "legacy",
    "core",
    "full_text",
    "result",
    "tweet",
    "user_results",
    "tweet_results",
    "instructions",
    "entries",
    "entryId",
    "content",
    "itemContent",
    "card",
    "name",
    "list",
    "views",
    "sizes",
    "urls",
    "binding_values",
    "entities",
    "media",
    "screen_name",
]


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, dict):
            yield at
            stack += at.values()
        elif isinstance(at, list):
            stack += at


def post_like(node: dict[str, Any]) -> bool:
    """An object that is a post by its type, or by what it has when X gave it none."""
    kind, legacy = node.get("__typename"), node.get("legacy")
    if kind in ("Tweet", "TweetPreview"):
        return not node.keys() <= REFERENCE
    if isinstance(kind, str) and kind in TYPED:
        return False
    within = "full_text" in node or (isinstance(legacy, dict) and "full_text" in legacy)
    return within and ("rest_id" in node or "legacy" in node)


def posts_in(document: Any) -> list[dict[str, Any]]:
    """Every post of a document, each object once."""
    found = {id(node): node for node in objects(document) if post_like(node)}
    for node in objects(document):
        inner = node.get("tweet")
        wraps = node.get("__typename") in ("TweetWithVisibilityResults", "TweetPreviewDisplay")
        if wraps and isinstance(inner, dict) and "__typename" not in inner and not inner.keys() <= REFERENCE:
            found[id(inner)] = inner
    return list(found.values())


def number_of(node: dict[str, Any]) -> str | None:
    """The number that a post's object says it has; None when it says none that can be used."""
    legacy = node.get("legacy")
    given = (node.get("rest_id"), node.get("id_str"), legacy.get("id_str") if isinstance(legacy, dict) else None)
    return next((number for value in given if (number := _usable_id(value))), None)


def _usable_id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if isinstance(value, int):
        return str(value) if 0 < value < 10**20 else None
    return value if value.isascii() and value.isdigit() and len(value) <= 20 else None


def mutate(body: bytes, seed: int, times: int) -> Any:
    """The document with so many changes, most of them near a post, where it matters."""
    rng = random.Random(seed)
    document = orjson.loads(body)
    for _ in range(times):
        places = [node for node in objects(document) if node]
        if rng.random() < 0.5:
            posts = [node for node in places if post_like(node) or node.get("__typename") == "User"]
            near = [value for node in posts for value in (node, *node.values()) if isinstance(value, dict) and value]
            places = near or places
        if not places:
            break
        _change(rng.choice(places), rng)
    return document


def _change(node: dict[str, Any], rng: random.Random) -> None:
    """Drop, null, retype, enlarge, rename, nest, reorder, duplicate or cut short a field."""
    key = rng.choice(list(node))
    value = node[key]
    match rng.randrange(10):
        case 0:
            del node[key]
        case 1:
            node[key] = None
        case 2:
            node[key] = copy.deepcopy(rng.choice(STRANGE))
        case 3:
            node[key] = rng.choice(HUGE)
        case 4:
            node[rng.choice([f"{key}_v2", *KEYS])] = node.pop(key)
        case 5:
            node[key] = {rng.choice([key, *KEYS]): value}
        case 6:
            node[key] = [value]
        case 7:
            node[key] = rng.sample(value, len(value)) if isinstance(value, list) else value
            shuffled = rng.sample(list(node.items()), len(node))
            node.clear()
            node.update(shuffled)
        case 8:
            node[key] = copy.deepcopy(value) * 2 if isinstance(value, list) else value
            node[f"{key}_again"] = copy.deepcopy(value)
        case _:
            node[key] = value[: len(value) // 2] if isinstance(value, (str, list)) else value
