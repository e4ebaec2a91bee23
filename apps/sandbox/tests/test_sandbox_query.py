"""X's search syntax over the world."""

from __future__ import annotations

import pytest

from xget_sandbox.search import Search
from xget_sandbox.world import World, build_world
from xget_sandbox.world.ids import iso_time


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(7, 1000)


def says(*words: str):
    return lambda post: any(word in post.plain.lower() for word in words)


def has(word: str):
    return lambda post: word.lower() in post.plain.lower()


CASES = [
    ("量子", has("量子")),
    ("climate 人工智能", lambda post: has("climate")(post) and has("人工智能")(post)),
    ('"climate policy"', has("climate policy")),
    ("from:elonmusk quantum", lambda post: post.author_id == 44196397 and has("quantum")(post)),
    ("from:@ElonMusk", lambda post: post.author_id == 44196397),
    ("to:elonmusk", lambda post: post.reply_to_author == 44196397),
    ("lang:zh", lambda post: post.lang == "zh"),
    ("climate -filter:replies", lambda post: has("climate")(post) and post.kind != "reply"),
    ("climate filter:replies", lambda post: has("climate")(post) and post.kind == "reply"),
    ("filter:images", lambda post: any(item.type == "photo" for item in post.media)),
    ("filter:quote", lambda post: post.kind == "quote"),
    ("since:2026-06-01 until:2026-07-01", lambda post: iso_time(post.created_ms).startswith("2026-06")),
    ("since_time:1781000000", lambda post: post.created_ms >= 1781000000000),
    ("min_faves:1000 football", lambda post: post.metrics.likes >= 1000 and has("football")(post)),
    ("#NetZero", lambda post: "NetZero" in [mark.text for mark in post.marks]),
    (
        "(quantum OR football) lang:en",
        lambda p: p.lang == "en" and says("quantum", "football")(p),
    ),
    ("quantum OR football lang:en", lambda p: p.lang == "en" and says("quantum", "football")(p)),
    ("url:arxiv", lambda p: any("arxiv" in mark.expanded for mark in p.marks)),
    ("filter:mentions filter:safe", lambda p: any(m.kind == "mention" for m in p.marks) and not p.sensitive),
    ("climate -(from:elonmusk OR lang:zh)", lambda p: has("climate")(p) and p.author_id != 44196397 and p.lang != "zh"),
]


@pytest.mark.parametrize(("query", "expected"), CASES, ids=[query for query, _ in CASES])
def test_a_query_finds_exactly_what_it_says(world, query, expected):
    found = Search(world).find(query)
    wanted = [post.id for post in world.newest if post.kind != "repost" and expected(post)]
    assert [post.id for post in found] == wanted
    assert wanted or "人工智能" in query


def test_latin_words_are_matched_whole(world):
    found = Search(world).find("AI")
    assert found
    assert all("AI" in post.plain for post in found)
    assert Search(world).find("limate") == []
    assert {post.id for post in Search(world).find("ai")} == {post.id for post in found}


def test_ids_bound_a_search(world):
    everything = [post.id for post in Search(world).find("climate")]
    middle = everything[len(everything) // 2]
    older = [post.id for post in Search(world).find(f"climate max_id:{middle}")]
    newer = [post.id for post in Search(world).find(f"climate since_id:{middle}")]
    assert newer + older == everything


def test_top_is_by_likes_and_reposts_come_only_when_asked_for(world):
    top = Search(world).find("climate", "Top")
    assert [post.metrics.likes for post in top] == sorted((post.metrics.likes for post in top), reverse=True)
    assert all(post.kind != "repost" for post in top)
    assert any(post.kind == "repost" for post in Search(world).find("climate include:nativeretweets"))
    assert all(post.media for post in Search(world).find("climate", "Media"))


@pytest.mark.parametrize(
    "query", ["", "   ", "(", ")", "((", "OR", "-", '"', "()", "OR OR", 'a"b', "since:never", "#", "-("]
)
def test_strange_queries_do_no_harm(world, query):
    Search(world).find(query)


def test_lists_and_places_narrow_a_search(world):
    members = set(world.lists[1001])
    assert {post.author_id for post in Search(world).find("list:1001")} <= members
    near = Search(world).find('near:"lisbon" within:15km')
    assert {world.authors[post.author_id].location for post in near} == {"Lisbon"}
