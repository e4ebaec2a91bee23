"""Payloads that drift in any way: the parser never raises, loses no record, and lets no wrong type through."""

from __future__ import annotations

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
from xget_testing.x_payloads import KEYS, mutate, number_of, objects, post_like, posts_in
from xget_testing.x_truth import recordings


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


TYPES = ["Tweet", "User", "TimelineTrend", "TweetWithVisibilityResults", "TweetTombstone", "TimelineTweet", "Community"]


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
