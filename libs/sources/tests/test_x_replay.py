"""Recorded answers collected through twscrape and parsed: every record that twscrape finds comes out equal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from xget_sources.ports import PageToParse
from xget_testing.x_truth import load, post_differences, recordings, theirs, user_differences

pytestmark = pytest.mark.skipif(not recordings(), reason="no recordings beside the repository: set XGET_RECORDINGS")

TASKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "SearchTimeline": ("raw_search.json", "KEYWORD_SEARCH", {"query": "anything"}),
    "UserByScreenName": ("raw_user_by_login.json", "USER_INFO", {"username": "xdevelopers"}),
    "UserTweets": ("raw_user_tweets.json", "USER_TWEETS", {"username": "xdevelopers"}),
    "Followers": ("raw_followers.json", "USER_FOLLOWERS", {"user_id": "2244994945"}),
    "Following": ("raw_following.json", "USER_FOLLOWING", {"user_id": "2244994945"}),
    "TweetDetail": ("raw_tweet_details.json", "TWEET_DETAIL", {"tweet_id": "1649191520250245121"}),
    "Retweeters": ("raw_retweeters.json", "RETWEETERS", {"tweet_id": "1649191520250245121"}),
    "ListMembers": ("raw_list_members.json", "LIST_MEMBERS", {"list_id": "1494877848087187461"}),
    "GenericTimelineById": ("raw_trends.json", "TRENDS", {}),
    # no recordings of these three are at hand; their answers are lists of posts of the same shape
    "UserMedia": ("raw_user_tweets.json", "USER_MEDIA", {"user_id": "2244994945"}),
    "ListLatestTweetsTimeline": ("raw_search.json", "LIST_TIMELINE", {"list_id": "1494877848087187461"}),
    "CommunityTweetsTimeline": ("raw_search.json", "COMMUNITY_TWEETS", {"community_id": "1501272736215322629"}),
}


@pytest.fixture
def replayed(tmp_path: Path, start: Any) -> Any:
    """Starts a sandbox that answers one operation with one recording."""

    async def begin(operation: str, name: str) -> Any:
        source = next(path for path in recordings() if path.name == name)
        shutil.copy(source, tmp_path)
        (tmp_path / "manifest.json").write_text(json.dumps({operation: [name]}))
        return await start(replay=tmp_path)

    return begin


def parsed(source: Any, pages: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    items: dict[str, Any] = {}
    authors: dict[str, Any] = {}
    for page in pages:
        result = source.parse(
            PageToParse(
                task_type="any",
                operation=page.operation,
                body=page.body,
                match_keys=frozenset(page.entry_keys),
                fetched_at=page.fetched_at,
            )
        )
        assert result.rejected == []
        for item in result.items:
            items.setdefault(item.key, item)
        authors |= {author.id: author for author in result.authors}
    return items, authors


@pytest.mark.parametrize("operation", TASKS)
async def test_a_recording_comes_through_whole(
    replayed: Any, lender: Any, gather: Any, source: Any, operation: str
) -> None:
    name, task_type, params = TASKS[operation]
    sandbox = await replayed(operation, name)
    pages = await gather(lender(sandbox.proxy_url), task_type, **params)
    assert pages[-1].end_reason == "exhausted"
    items, authors = parsed(source, pages)
    tweets, users, trends = theirs(load(next(path for path in recordings() if path.name == name)))
    lines = [line for key, tweet in tweets.items() for line in post_differences(tweet, items[f"x:{key}"])]
    lines += [line for key, user in users.items() for line in user_differences(user, authors[key])]
    assert lines == []
    assert {trend.name for trend in trends.values()} == {item.text for item in items.values() if item.kind == "trend"}
    matches = [item for item in items.values() if item.role == "match"]
    assert {item.key for item in matches} == {key for page in pages for key in page.entry_keys}
    assert matches


async def test_answers_to_a_post_are_its_direct_ones(replayed: Any, lender: Any, gather: Any) -> None:
    sandbox = await replayed("TweetDetail", "raw_tweet_details.json")
    pages = await gather(lender(sandbox.proxy_url), "TWEET_REPLIES", tweet_id="1649191520250245121")
    tweets, _, _ = theirs(load(next(path for path in recordings() if path.name == "raw_tweet_details.json")))
    direct = {f"x:{key}" for key, tweet in tweets.items() if tweet.inReplyToTweetIdStr == "1649191520250245121"}
    assert {key for page in pages for key in page.entry_keys} == direct
    assert direct
