"""Fields of payloads: known ones are no news; a new, renamed or retyped one is told by its shape and path."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.world import build_world
from xget_sources.ports import PageToParse
from xget_sources.x.parser.drift import fields_of, known_fields
from xget_sources.x.parser.timeline import read_timeline
from xget_sources.x.x_source import XSource
from xget_testing.x_truth import load, recordings


@cache
def rendered() -> bytes:
    asked = {"rawQuery": "AI OR 人工智能 include:nativeretweets", "product": "Latest", "count": 20}
    body = WorldSource(build_world(7, 400)).answer("SearchTimeline", asked, Untouched())
    assert body is not None
    return body


@pytest.fixture
def search() -> Any:
    return orjson.loads(rendered())


def posts(node: Any) -> Iterator[dict[str, Any]]:
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, dict):
            if at.get("__typename") == "Tweet" and "legacy" in at:
                yield at
            stack += at.values()
        elif isinstance(at, list):
            stack += at


def news(payload: Any) -> dict[str, set[str]]:
    known = known_fields().known
    told = {shape: set(paths - known.get(shape, frozenset())) for shape, paths in fields_of(payload).items()}
    return {shape: paths for shape, paths in told.items() if paths}


def gone(payload: Any) -> dict[str, set[str]]:
    usual, told = known_fields().usual, fields_of(payload)
    missing = {shape: set(usual[shape] - told[shape]) for shape in usual.keys() & told.keys()}
    return {shape: paths for shape, paths in missing.items() if paths}


def test_a_page_as_the_parser_knows_it_brings_no_news(search: Any) -> None:
    assert (news(search), gone(search)) == ({}, {})
    assert {"post", "user", "timeline"} <= fields_of(search).keys()


@pytest.mark.parametrize(
    ("operation", "product"), [("SearchTimeline", "Latest"), ("SearchTimeline", "Media"), ("UserMedia", "")]
)
def test_a_page_that_follows_brings_no_news(operation: str, product: str) -> None:
    source = WorldSource(build_world(7, 400, rich=True))
    asked = {"rawQuery": "AI", "product": product, "userId": "44196397"}
    for _ in range(2):
        body = source.answer(operation, asked, Untouched())
        assert body is not None
        page = orjson.loads(body)
        assert news(page) == {}
        asked["cursor"] = read_timeline(page).cursor or ""


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.stem)
def test_a_recording_brings_no_news(path: Any) -> None:
    assert (news(load(path)), gone(load(path))) == ({}, {})


def test_a_renamed_field_is_new_and_its_old_name_gone(search: Any) -> None:
    for post in posts(search):
        post["legacy"]["full_words"] = post["legacy"].pop("full_text")
    assert news(search) == {"post": {"legacy.full_words"}}
    assert gone(search) == {"post": {"legacy.full_text"}}


def test_a_retyped_field_is_told_with_its_type_but_null_is_none(search: Any) -> None:
    first, second = list(posts(search))[:2]
    first["legacy"]["lang"] = 7
    second["legacy"]["created_at"] = None
    assert news(search) == {"post": {"legacy.lang!number"}}


def test_a_record_in_a_record_has_fields_of_its_own(search: Any) -> None:
    first, second = list(posts(search))[:2]
    first["quoted_status_result"] = {"result": copy.deepcopy(second)}
    first["quoted_status_result"]["result"]["legacy"]["mood"] = "good"
    assert news(search) == {"post": {"legacy.mood"}}


def test_maps_with_numbers_as_keys_and_deep_ones_tell_little() -> None:
    nested: Any = {"a": 1}
    for _ in range(2000):
        nested = {"deeper": [nested]}
    wide = {str(number): {"x": number} for number in range(50_000)}
    told = fields_of({"__typename": "Tweet", "rest_id": "1", "deep": nested, "wide": wide})
    assert {"wide.*", "wide.*.x"} <= told["post"]
    assert len(told["post"]) < 30
    many = {"__typename": "Tweet", "legacy": {f"name{number}": 1 for number in range(50_000)}}
    assert len(fields_of(many)["post"]) <= 4000


def test_a_source_tells_the_fields_of_a_stored_page() -> None:
    source = XSource()
    page = PageToParse(
        task_type="any", operation="any", body=rendered(), match_keys=frozenset(), fetched_at=datetime.now(UTC)
    )
    assert source.fields(page)["post"] >= source.known_fields().usual["post"]
    broken = PageToParse(
        task_type="any", operation="any", body=b"<html>", match_keys=frozenset(), fetched_at=datetime.now(UTC)
    )
    assert source.fields(broken) == {}
