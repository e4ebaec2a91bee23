"""Rich worlds: twscrape understands everything in them, and the truth says the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from twscrape.models import AudiospaceCard, BroadcastCard, PollCard, SummaryCard, Tweet, parse_tweets

from xget_sandbox.graphql.world_source import WorldSource
from xget_sandbox.source import Untouched
from xget_sandbox.truth import Truth
from xget_sandbox.world import World, build_world


def read(source: WorldSource, operation: str, **asked: Any) -> Any:
    body = source.answer(operation, asked, Untouched())
    assert body is not None
    return orjson.loads(body)


def nodes(node: Any) -> Any:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def pages(source: WorldSource, operation: str, **asked: Any) -> list[Any]:
    """All pages of a timeline."""
    found: list[Any] = []
    cursor = None
    while True:
        page = read(source, operation, **asked, **({"cursor": cursor} if cursor else {}))
        after = next(node["value"] for node in nodes(page) if node.get("cursorType") == "Bottom")
        if after == cursor:
            return found
        cursor = after
        found.append(page)


@pytest.fixture(scope="module")
def source() -> WorldSource:
    return WorldSource(build_world(7, 1500, rich=True))


@pytest.fixture(scope="module")
def everything(source: WorldSource) -> list[Any]:
    return pages(source, "SearchTimeline", rawQuery="lang:en OR lang:zh", product="Latest")


@pytest.fixture(scope="module")
def tweets(everything: list[Any]) -> dict[str, Tweet]:
    return {tweet.id_str: tweet for page in everything for tweet in parse_tweets(page)}


@pytest.fixture(scope="module")
def facts(source: WorldSource) -> dict[str, Any]:
    truth = Truth(source.world, source.listings)
    told: dict[str, Any] = truth.answer({"task_type": "SEARCH", "query": "lang:en OR lang:zh", "full": "1"})["posts"]
    return told


def test_every_post_is_parsed_with_its_extras(tweets, facts):
    assert set(tweets) >= set(facts)
    counted: dict[str, int] = {}
    cards = {
        "audiospace": AudiospaceCard, "broadcast": BroadcastCard, "player": SummaryCard, "unified": SummaryCard,
    }  # fmt: skip
    for post_id, told in facts.items():
        tweet = tweets[post_id]
        assert tweet.rawContent == told["text"]
        assert (tweet.place.fullName if tweet.place else None) == told.get("place")
        where = tweet.coordinates
        assert ([where.longitude, where.latitude] if where else None) == (
            list(told["coordinates"]) if "coordinates" in told else None
        )
        ids = [str(one) for one in tweet.editControl["edit_tweet_ids"]]
        assert ids == [*told.get("versions", []), post_id]
        if "card" in told:
            assert isinstance(tweet.card, cards[told["card"]])
        if "poll" in told:
            assert isinstance(tweet.card, PollCard)
            assert [[one.label, one.votesCount] for one in tweet.card.options] == told["poll"]["options"]
            assert tweet.card.finished == told["poll"]["final"]
            counted["running" if not told["poll"]["final"] else "ended"] = 1
        for name in told:
            counted[name] = counted.get(name, 0) + 1
    expected = ("place", "coordinates", "versions", "card", "note", "article", "withheld_in", "limited", "alt_text")
    assert {name for name in (*expected, "community", "running", "ended") if not counted.get(name)} == set()


def test_what_twscrape_does_not_parse_is_there_too(everything, facts):
    found = {str(node["rest_id"]): node for page in everything for node in nodes(page) if "legacy" in node}
    for post_id, told in facts.items():
        post = found[post_id]
        assert post.get("birdwatch_pivot", {}).get("subtitle", {}).get("text") == told.get("note")
        assert post.get("article", {}).get("article_results", {}).get("result", {}).get("title") == told.get("article")
        assert post.get("community_results", {}).get("result", {}).get("id_str") == told.get("community")
        assert tuple(post["legacy"].get("withheld_in_countries", ())) == tuple(told.get("withheld_in", ()))
        assert ("conversation_control" in post["legacy"]) == bool(told.get("limited"))
        media = post["legacy"].get("extended_entities", {}).get("media", [{}])
        assert media[0].get("ext_alt_text") == told.get("alt_text")


def test_advertisements_stand_among_results_and_are_not_in_the_truth(everything):
    entries = [node for page in everything for node in nodes(page) if str(node.get("entryId")).startswith("promoted-")]
    assert len(entries) == len(everything)
    assert all("promotedMetadata" in entry["content"]["itemContent"] for entry in entries)


def test_advertisements_stand_among_the_threads_of_a_conversation(source):
    busiest = max(source.world.replies_to, key=lambda one: len(source.world.replies_to[one]))
    page = read(source, "TweetDetail", focalTweetId=str(busiest))
    threads = [node for node in nodes(page) if str(node.get("entryId")).startswith("conversationthread-")]
    assert sum("promotedMetadata" in thread.get("item", {}).get("itemContent", {}) for thread in threads) == 1
    assert len([tweet for tweet in parse_tweets(page) if tweet.inReplyToTweetId == busiest]) >= 10


def test_the_media_tab_is_a_grid_that_later_pages_add_to(source):
    listed = pages(source, "UserMedia", userId="44196397")
    told = Truth(source.world, source.listings).answer({"task_type": "USER_MEDIA", "username": "elonmusk"})
    shown = [node for page in listed for node in nodes(page) if node.get("tweetDisplayType") == "MediaGrid"]
    assert [tweet.id_str for page in listed for tweet in parse_tweets(page)][:1] == told["matches"][:1]
    kinds = [
        [one["type"] for one in nodes(page) if str(one.get("type", "")).startswith("TimelineAdd")] for page in listed
    ]
    assert kinds[0] == ["TimelineAddEntries"]
    assert kinds[1] == ["TimelineAddToModule", "TimelineAddEntries"]
    assert len(shown) == told["count"]


def test_threads_by_one_author_hang_together(source):
    world, truth = source.world, Truth(source.world, source.listings)
    parts = [post for post in world.newest if post.reply_to and world.posts[post.reply_to].author_id == post.author_id]
    roots = {post.conversation_id for post in parts}
    assert len(roots) > 5
    for root in roots:
        told = truth.answer({"task_type": "TWEET_THREAD", "tweet_id": str(root)})["matches"]
        assert [int(one) for one in told[1:]] == sorted(post.id for post in parts if post.conversation_id == root)
        middle = told[len(told) // 2]
        assert truth.answer({"task_type": "TWEET_THREAD", "tweet_id": middle})["matches"] == told


def test_young_posts_grow_and_polls_run_down_with_the_clock():
    world = build_world(7, 600, rich=True)
    source, truth, now = WorldSource(world), Truth(world, WorldSource(world).listings), [0.0]
    world.life.elapsed = lambda: now[0]

    def look() -> tuple[dict[str, Tweet], dict[str, Any]]:
        page = read(source, "SearchTimeline", rawQuery="since:2026-07-31", product="Latest")
        told = truth.answer({"task_type": "SEARCH", "query": "since:2026-07-31", "full": "1"})["posts"]
        return {tweet.id_str: tweet for tweet in parse_tweets(page)}, told

    seen = []
    for seconds in (0.0, 3600.0, 86_400.0, 10 * 86_400.0):
        now[0] = seconds
        tweets, told = look()
        for post_id, tweet in tweets.items():
            if post_id in told:
                assert (tweet.likeCount, tweet.viewCount) == (told[post_id]["likes"], told[post_id]["views"])
        polls = [told[one]["poll"] for one in told if "poll" in told[one]]
        seen.append((sum(told[one]["views"] for one in told), sum(poll["final"] for poll in polls)))
    views, final = zip(*seen, strict=True)
    assert list(views) == sorted(set(views))
    assert final[0] < final[-1] == len(polls)


def test_a_world_that_is_not_rich_is_the_same_as_ever():
    plain, rich = build_world(7, 300), build_world(7, 300, rich=True)
    assert set(plain.posts) < set(rich.posts)
    assert all(rich.posts[one] == plain.posts[one] for one in plain.posts)
    world: World = build_world(7, 300)
    assert not any(world.extras_of(post) for post in world.newest)
