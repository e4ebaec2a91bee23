"""The same question gets the same bytes: again, after a restart, and from another process."""

from __future__ import annotations

from typing import Any

import pytest

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.wire.cursors import BadCursor, Cursor, decode, encode
from xget_sandbox.world import build_world

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("SearchTimeline", {"rawQuery": "climate", "product": "Latest"}),
    ("SearchTimeline", {"rawQuery": "人工智能", "product": "Top"}),
    ("UserTweets", {"userId": "44196397"}),
    ("UserTweetsAndReplies", {"userId": "44196397"}),
    ("Followers", {"userId": "44196397"}),
    ("UserByScreenName", {"screen_name": "elonmusk"}),
    ("GenericTimelineById", {"timelineId": "any"}),
    ("ListMembers", {"listId": "1001"}),
]


def answers(seed: int) -> list[bytes | None]:
    source = WorldSource(build_world(seed, 300))
    return [source.answer(operation, variables, Untouched()) for operation, variables in ASKED]


def test_worlds_of_one_seed_answer_the_same_bytes():
    assert answers(7) == answers(7)
    assert not {*answers(7)} & {*answers(8)}


async def test_a_cursor_means_the_same_page_every_time(start, gql):
    sandbox = await start(posts=200)
    other = await start(posts=200)
    first = (await gql(sandbox, "SearchTimeline", rawQuery="climate", product="Latest")).json()
    entry = first["data"]["search_by_raw_query"]["search_timeline"]["timeline"]["instructions"][0]["entries"][-1]
    cursor = entry["content"]["value"]
    asked = {"rawQuery": "climate", "product": "Latest", "cursor": cursor}
    pages = [(await gql(one, "SearchTimeline", **asked)).content for one in (sandbox, sandbox, other)]
    assert pages[0] == pages[1] == pages[2]
    foreign = await gql(sandbox, "SearchTimeline", **{**asked, "rawQuery": "AI"})
    assert "another listing" in foreign.json()["errors"][0]["message"]


@pytest.mark.parametrize("style", ["token", "pair"])
def test_cursors_are_read_back(style):
    for cursor in (Cursor(0), Cursor(20), Cursor(4_000_000, 3)):
        assert decode("search:x", encode("search:x", cursor, style), style) == cursor


@pytest.mark.parametrize("style", ["token", "pair"])
@pytest.mark.parametrize("text", ["", "x", "0|", "0|-1", "AAAA", "🙂", "9" * 500, f"0|{'9' * 500}"])
def test_texts_that_are_no_cursor_are_refused(style, text):
    with pytest.raises(BadCursor):
        decode("search:x", text, style)


def test_a_listing_ends_with_a_page_of_cursors_alone():
    source = WorldSource(build_world(7, 60))
    listing = "search:Latest:climate"
    size = len(source.listings.search("climate", "Latest"))
    cursor = encode(listing, Cursor(size), "token")
    asked = {"rawQuery": "climate", "product": "Latest", "cursor": cursor}
    body = source.answer("SearchTimeline", asked, Untouched())
    assert body is not None
    assert b'"tweet-' not in body
    assert cursor.encode() in body


async def test_sizes_that_tests_rely_on():
    world = build_world(7, 4000)
    source = WorldSource(world)
    assert len(source.listings.search("climate", "Latest")) >= 2000
    assert len(source.listings.search("AI OR 人工智能", "Latest")) >= 600
    assert len(world.by_author[44196397]) >= 1000
    smaller = WorldSource(build_world(7, 2000))
    assert len(smaller.listings.search("AI OR 人工智能", "Latest")) >= 300
    assert len(smaller.world.by_author[44196397]) >= 500
    assert len(smaller.world.authors) >= 200


@pytest.mark.parametrize("posts", [0, 1, 2, 5, 17, 40])
def test_small_worlds_are_possible(posts):
    assert len(build_world(3, posts).posts) == posts
