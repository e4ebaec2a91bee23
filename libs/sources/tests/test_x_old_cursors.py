"""Cursors that X refuses because they have grown too old: the timeline is begun again, a window goes on below."""

from __future__ import annotations

from typing import Any

import pytest

from xget_sources.ports import SourceStopped

RULES = ("SearchTimeline", "UserTweets", "UserMedia", "Followers", "ListLatestTweetsTimeline", "TweetDetail")
PAGING = ",".join(f"{operation}.expire=900" for operation in RULES)
THREAD = '"1/13 A thread"'


def keys(pages: list[Any]) -> set[str]:
    return {key for page in pages if page.counts for key in page.entry_keys}


@pytest.mark.parametrize(
    ("task_type", "params"),
    [
        ("KEYWORD_SEARCH", {"query": "climate", "product": "Top"}),
        ("USER_TWEETS", {"username": "elonmusk"}),
        ("USER_MEDIA", {"username": "elonmusk"}),
        ("USER_FOLLOWERS", {"user_id": "44196397"}),
        ("LIST_TIMELINE", {"list_id": "1001"}),
        ("TWEET_THREAD", {}),
    ],
)
async def test_a_timeline_is_begun_again(start: Any, lender: Any, gather: Any, task_type: str, params: Any) -> None:
    sandbox = await start(posts=600, rich=True, paging=PAGING)
    if not params:
        thread = sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", "query": THREAD})["matches"][0]
        params = {"tweet_id": thread}
    whole = await gather(lender(sandbox.proxy_url), task_type, **params)
    most = 2 if len(whole) > 2 else 1
    first = await gather(lender(sandbox.proxy_url), task_type, most=most, **params)
    sandbox.conditions.limits.clock.advance(901)
    rest = await gather(lender(sandbox.proxy_url), task_type, cursor=first[-1].cursor_out, **params)
    assert sandbox.conditions.pagings.struck["expired"] == 1
    assert keys(first) < keys(whole) == keys(rest)
    assert rest[-1].end_reason == whole[-1].end_reason
    assert all(page.counts for page in rest)


async def test_it_is_begun_again_only_so_often(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(posts=300, paging=PAGING)
    cursor = None
    for _ in range(4):
        pages = await gather(lender(sandbox.proxy_url), "USER_FOLLOWERS", cursor, 2, user_id="44196397")
        cursor = pages[-1].cursor_out
        sandbox.conditions.limits.clock.advance(901)
    with pytest.raises(SourceStopped, match="214") as stopped:
        await gather(lender(sandbox.proxy_url), "USER_FOLLOWERS", cursor, 2, user_id="44196397")
    assert stopped.value.reason == "source_error"


async def test_a_search_by_time_is_not_read_twice(start: Any, lender: Any, gather: Any) -> None:
    sandbox = await start(posts=300, paging=PAGING)
    first = await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", most=2, query="climate")
    sandbox.conditions.limits.clock.advance(901)
    with pytest.raises(SourceStopped, match="214"):
        await gather(lender(sandbox.proxy_url), "KEYWORD_SEARCH", first[-1].cursor_out, query="climate")
