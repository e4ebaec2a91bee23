"""The tabs of X's search, its people, and the methods of twscrape that are no operations of their own."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from twscrape import api as twscrape_api

from xget_sources.x.tasks import TASK_TYPES
from xget_sources.x.x_source import XSource

REACHED = {
    "search": "KEYWORD_SEARCH",
    "search_trend": "KEYWORD_SEARCH",
    "search_user": "USER_SEARCH",
    "user_by_id": "USER_INFO",
    "user_by_login": "USER_INFO",
    "user_about": "USER_ABOUT",
    "tweet_details": "TWEET_DETAIL",
    "tweet_replies": "TWEET_REPLIES",
    "tweet_thread": "TWEET_THREAD",
    "followers": "USER_FOLLOWERS",
    "verified_followers": "VERIFIED_FOLLOWERS",
    "following": "USER_FOLLOWING",
    "subscriptions": "SUBSCRIPTIONS",
    "retweeters": "RETWEETERS",
    "user_tweets": "USER_TWEETS",
    "user_tweets_and_replies": "USER_TWEETS",
    "user_media": "USER_MEDIA",
    "list_timeline": "LIST_TIMELINE",
    "list_members": "LIST_MEMBERS",
    "trends": "TRENDS",
    "bookmarks": "BOOKMARKS",
    "community_info": "COMMUNITY_INFO",
    "community_tweets": "COMMUNITY_TWEETS",
    "community_members": "COMMUNITY_MEMBERS",
    "community_moderators": "COMMUNITY_MODERATORS",
}
"""What twscrape collects, and the task type that collects the same."""


def test_every_method_of_twscrape_has_a_task_type_that_collects_the_same() -> None:
    offered = {name for name in vars(twscrape_api.API) if not name.startswith("_") and not name.endswith("_raw")}
    assert offered == REACHED.keys()
    assert set(REACHED.values()) | {"USER_REPLIES", "HASHTAG_SEARCH", "QUOTES"} == TASK_TYPES.keys()


def ids(pages: list[Any]) -> list[str]:
    return [key.rpartition(":")[2] for page in pages for key in page.entry_keys]


@pytest.mark.parametrize("product", ["Top", "Media"])
async def test_what_x_chooses_is_collected_in_its_order_and_ends_as_a_choice(
    start: Any, lender: Any, gather: Any, product: str
) -> None:
    sandbox = await start(posts=900, rich=True)
    pages = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", query="AI", product=product.lower())
    truth = sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", "query": "AI", "product": product})["matches"]
    assert ids(pages) == truth
    assert len(pages) > 2
    assert {page.request["product"] for page in pages} == {product}
    assert [page.end_reason for page in pages] == [None] * (len(pages) - 1) + ["ranking_ended"]
    assert {page.oldest_at for page in pages} == {None}


async def test_people_are_found_by_what_they_say_of_themselves(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    pages = await gather(lender(sandbox.proxy_url), "USER_SEARCH", query="ELON")
    assert ids(pages) == sandbox.truth.answer({"task_type": "USER_SEARCH", "query": "elon"})["matches"]
    assert all(key.startswith("x:user:") for page in pages for key in page.entry_keys)
    assert pages[-1].end_reason == "ranking_ended"
    nobody = await gather(lender(sandbox.proxy_url), "USER_SEARCH", query="nobody is called this")
    assert (ids(nobody), nobody[-1].end_reason) == ([], "ranking_ended")


@pytest.mark.parametrize(("product", "windowed"), [("Latest", True), ("Top", False), ("media", False)])
def test_only_what_is_listed_by_time_is_narrowed_in_time(source: XSource, product: str, windowed: bool) -> None:
    wishes: list[dict[str, Any]] = [{"query": "AI", "product": product}, {"queries": ["AI", "ML"], "product": product}]
    for wish in wishes:
        assert {target.windowed for target in source.targets("KEYWORD_SEARCH", wish)} == {windowed}
    warned = any("shows a part" in warning for warning in source.preview("KEYWORD_SEARCH", wishes[0]).warnings)
    assert warned is not windowed


def test_a_query_that_no_window_is_added_to_may_be_longer() -> None:
    query = "a" * 498
    TASK_TYPES["KEYWORD_SEARCH"].parameters.model_validate({"query": query, "product": "Top"})
    with pytest.raises(ValidationError, match="narrow it in time"):
        TASK_TYPES["KEYWORD_SEARCH"].parameters.model_validate({"query": query})


async def test_any_timeline_of_the_explore_page_can_be_asked_for(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start()
    own = "VGltZWxpbmU6DAC2CwABAAAAB2Zvcl95b3UAAA"
    (page,) = await gather(lender(sandbox.proxy_url), "TRENDS", category=own)
    assert page.request["timelineId"] == own
    assert page.entry_keys


@pytest.mark.parametrize("category", ["cats", "VGltZWxpbmU6", "VGltZWxpbmU6\nDAC2", "x" * 300, 5])
def test_what_is_no_timeline_is_refused(category: Any) -> None:
    with pytest.raises(ValidationError):
        TASK_TYPES["TRENDS"].parameters.model_validate({"category": category})
