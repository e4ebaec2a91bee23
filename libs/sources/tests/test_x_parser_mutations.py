"""Payloads that drift in any way: the parser never raises, loses no record, and lets no wrong type through."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xget_contracts.items import Author, Item, Rejected
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_sources.ports import PageToParse
from xget_sources.x.parser import parse_page, parse_payload
from xget_sources.x.parser.drift import fields_of
from xget_sources.x.parser.timeline import read_timeline
from xget_testing.x_truth import recordings

REFERENCE = {"__typename", "rest_id", "id", "id_str"}
STRANGE: list[Any] = [None, 5, -1, 1.5, True, "", "x", [], {}, [None], {"a": 1}, [[]], "Tweet", ["…"], "9" * 25]
HUGE: list[Any] = [2**63, 2**64 - 1, -(2**63), 1.7e308, "9" * 400, "x" * 100_000]
TYPED = {"User", "TimelineTrend", "Community", "TimelineTwitterList", "TimelineTweet", "UserUnavailable"} | {
    "TweetTombstone", "TweetUnavailable", "TimelineTombstone", "TweetWithVisibilityResults", "TweetPreviewDisplay"
}  # fmt: skip


@cache
def bodies() -> list[bytes]:
    """Pages of the sandbox's world, and recordings where there are some."""
    world = WorldSource(build_world(7, 400))
    uid = next(iter(world.listings.world.authors))
    asked = [
        ("SearchTimeline", {"rawQuery": "AI OR 人工智能 include:nativeretweets", "product": "Latest", "count": 20}),
        ("UserTweetsAndReplies", {"userId": str(uid), "count": 20}),
        ("Followers", {"userId": str(uid), "count": 20}),
    ]
    made = [world.answer(operation, variables, Untouched()) for operation, variables in asked]
    return [body for body in made if body] + [
        path.read_bytes() for path in recordings() if path.stat().st_size < 500_000
    ]  # fmt: skip


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
TYPES = ["Tweet", "User", "TimelineTrend", "TweetWithVisibilityResults", "TweetTombstone", "TimelineTweet", "Community"]


def objects(node: Any) -> Iterator[dict[str, Any]]:
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
    legacy = node.get("legacy")
    given = (node.get("rest_id"), node.get("id_str"), legacy.get("id_str") if isinstance(legacy, dict) else None)
    return next((number for value in given if (number := usable_id(value))), None)


def usable_id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    if isinstance(value, int):
        return str(value) if 0 < value < 10**20 else None
    return value if value.isascii() and value.isdigit() and len(value) <= 20 else None


def mutate(body: bytes, seed: int, times: int) -> Any:
    rng = random.Random(seed)
    document = orjson.loads(body)
    for _ in range(times):
        places = [node for node in objects(document) if node]
        if rng.random() < 0.5:  # near a post, where it matters
            posts = [node for node in places if post_like(node) or node.get("__typename") == "User"]
            near = [value for node in posts for value in (node, *node.values()) if isinstance(value, dict) and value]
            places = near or places
        if not places:
            break
        change(rng.choice(places), rng)
    return document


def change(node: dict[str, Any], rng: random.Random) -> None:
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


def check(document: Any) -> None:
    every_key = {f"x:user:{node['rest_id']}" for node in objects(document) if isinstance(node.get("rest_id"), str)}
    parsed = parse_payload(document, every_key)
    assert msgspec.json.decode(msgspec.json.encode(parsed.items), type=list[Item]) == parsed.items
    assert msgspec.json.decode(msgspec.json.encode(parsed.authors), type=list[Author]) == parsed.authors
    assert msgspec.json.decode(msgspec.json.encode(parsed.rejected), type=list[Rejected]) == parsed.rejected
    assert all(one.reason and one.path and len(one.shape) <= 2000 for one in parsed.rejected)
    assert not [one.reason for one in parsed.rejected if one.reason.startswith("the parser failed")]
    assert len({item.key for item in parsed.items}) == len(parsed.items)
    present = posts_in(document)
    numbers = {number for node in present if (number := number_of(node))}
    stored = {item.native_id for item in parsed.items if item.kind == "post" and not item.gone}
    refused = {one.native_id for one in parsed.rejected if one.native_id and one.reason.startswith("the post ")}
    nameless = sum(one.reason == "a post without a usable id" for one in parsed.rejected)
    assert stored | refused == numbers
    assert stored & refused == set()
    assert nameless == sum(number_of(node) is None for node in present)
    gone = {item.native_id for item in parsed.items if item.gone}
    assert gone & numbers == set()
    read_timeline(document)
    fields_of(document)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(which=st.integers(min_value=0, max_value=100), seed=st.integers(min_value=0), times=st.integers(1, 60))
def test_a_mutated_page_loses_no_record(which: int, seed: int, times: int) -> None:
    pages = bodies()
    check(mutate(pages[which % len(pages)], seed, times))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(which=st.integers(min_value=0, max_value=100), share=st.floats(0, 1), noise=st.binary(max_size=4))
def test_a_page_that_is_cut_off_is_rejected_whole_or_read(which: int, share: float, noise: bytes) -> None:
    body = bodies()[which % len(bodies())]
    cut = body[: int(len(body) * share)] + noise
    page = PageToParse(task_type="x", operation="y", body=cut, match_keys=frozenset(), fetched_at=datetime.now(UTC))
    parsed = parse_page(page)
    assert [one.path for one in parsed.rejected] == ["$"] or cut.strip() == body.strip() or len(cut) < 8
    assert all(one.raw == cut for one in parsed.rejected if one.path == "$")


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from([*TYPES, "123", "video", "tweet-5"]),
            max_size=6,
        ),
        max_leaves=40,
    )
)  # fmt: skip
def test_any_json_is_parsed_without_raising(document: Any) -> None:
    check(document)


def test_a_page_nested_beyond_recursion_is_parsed() -> None:
    document: Any = orjson.loads(bodies()[0])
    for _ in range(3000):
        document = {"deeper": [document]}
    parsed = parse_payload(document, ())
    assert parsed.items
    assert parsed.rejected == []


@pytest.mark.parametrize(
    "field", ["lang", "created_at", "favorite_count", "entities", "source", "views", "conversation_id_str"]
)
def test_what_is_optional_does_not_cost_the_item(field: str) -> None:
    document = orjson.loads(bodies()[0])
    before = {item.native_id for item in parse_payload(document, ()).items}
    for node in objects(document):
        if post_like(node):
            node["legacy"].pop(field, None)
            node.pop(field, None)
    parsed = parse_payload(document, ())
    assert {item.native_id for item in parsed.items} == before
    assert parsed.rejected == []
    assert all(item.created_at and item.conversation_id for item in parsed.items)
