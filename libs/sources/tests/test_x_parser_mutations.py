"""Payloads that drift in any way: the parser never raises, loses no record, and lets no wrong type through."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xget_contracts.items import Author, Item
from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_sources.x.parser import parse_payload
from xget_sources.x.parser.timeline import read_timeline
from xget_testing.x_truth import load, recordings

REFERENCE = {"__typename", "rest_id", "id", "id_str"}
STRANGE: list[Any] = [None, 5, -1, 1.5, True, "", "x", [], {}, [None], {"a": 1}, 2**63, [[]], "Tweet", ["…"], "9" * 25]


@cache
def payloads() -> list[Any]:
    """Pages of the sandbox's world, and recordings where there are some."""
    world = WorldSource(build_world(7, 400))
    uid = next(iter(world.listings.world.authors))
    asked = [
        ("SearchTimeline", {"rawQuery": "AI OR 人工智能 include:nativeretweets", "product": "Latest", "count": 20}),
        ("UserTweetsAndReplies", {"userId": str(uid), "count": 20}),
        ("Followers", {"userId": str(uid), "count": 20}),
    ]
    made = [world.answer(operation, variables, Untouched()) for operation, variables in asked]
    documents = [orjson.loads(body) for body in made if body]
    return documents + [load(path) for path in recordings() if path.stat().st_size < 500_000]


KEYS = [
    "__typename",
    "rest_id",
    "legacy",
    "core",
    "full_text",
    "result",
    "tweet",
    "user_results",
    "instructions",
    "entries",
    "content",
    "itemContent",
    "card",
    "name",
    "binding_values",
    "entities",
    "media",
    "screen_name",
]


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
    legacy = node.get("legacy")
    if node.get("__typename") == "Tweet":
        return not node.keys() <= REFERENCE
    return "rest_id" in node and isinstance(legacy, dict) and "full_text" in legacy


def usable_id(value: Any) -> str | None:
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= 20 and text != "0" else None


def mutate(payload: Any, seed: int, times: int) -> Any:
    rng = random.Random(seed)
    document = copy.deepcopy(payload)
    for _ in range(times):
        places = [node for node in objects(document) if node]
        if rng.random() < 0.5:  # near a post, where it matters
            posts = [node for node in places if post_like(node) or node.get("__typename") == "User"]
            near = [value for node in posts for value in (node, *node.values()) if isinstance(value, dict) and value]
            places = near or places
        if not places:
            break
        node = rng.choice(places)
        key = rng.choice(list(node))
        match rng.randrange(6):
            case 0:
                del node[key]
            case 1:
                node[key] = None
            case 2:
                node[key] = copy.deepcopy(rng.choice(STRANGE))
            case 3:
                node[f"{key}_v2"] = node.pop(key)
            case 4:
                node[key] = {key: node[key]}
            case _:
                node[key] = [node[key]]
    return document


def check(document: Any) -> None:
    every_key = {f"x:user:{node['rest_id']}" for node in objects(document) if isinstance(node.get("rest_id"), str)}
    parsed = parse_payload(document, every_key)
    assert msgspec.json.decode(msgspec.json.encode(parsed.items), type=list[Item]) == parsed.items
    assert msgspec.json.decode(msgspec.json.encode(parsed.authors), type=list[Author]) == parsed.authors
    accounted = {item.native_id for item in parsed.items} | {one.native_id for one in parsed.rejected}
    for node in objects(document):
        if not post_like(node):
            continue
        native_id = usable_id(node.get("rest_id"))
        if native_id:
            assert native_id in accounted
        else:
            assert parsed.rejected or accounted
    assert len({item.key for item in parsed.items}) == len(parsed.items)
    assert all(one.reason and one.path for one in parsed.rejected)
    read_timeline(document)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(which=st.integers(min_value=0, max_value=100), seed=st.integers(min_value=0), times=st.integers(1, 60))
def test_a_mutated_page_loses_no_record(which: int, seed: int, times: int) -> None:
    pages = payloads()
    check(mutate(pages[which % len(pages)], seed, times))


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["Tweet", "User", "TimelineTrend", "TweetWithVisibilityResults", "123", "video"]),
            max_size=6,
        ),
        max_leaves=40,
    )
)  # fmt: skip
def test_any_json_is_parsed_without_raising(document: Any) -> None:
    check(document)


def test_a_page_nested_beyond_recursion_is_parsed() -> None:
    document: Any = copy.deepcopy(payloads()[0])
    for _ in range(3000):
        document = {"deeper": [document]}
    parsed = parse_payload(document, ())
    assert parsed.items
    assert parsed.rejected == []


@pytest.mark.parametrize(
    "field", ["lang", "created_at", "favorite_count", "entities", "source", "views", "conversation_id_str"]
)
def test_what_is_optional_does_not_cost_the_item(field: str) -> None:
    document = copy.deepcopy(payloads()[0])
    before = {item.native_id for item in parse_payload(document, ()).items}
    for node in objects(document):
        if post_like(node):
            node["legacy"].pop(field, None)
            node.pop(field, None)
    parsed = parse_payload(document, ())
    assert {item.native_id for item in parsed.items} == before
    assert parsed.rejected == []
    assert all(item.created_at and item.conversation_id for item in parsed.items)
