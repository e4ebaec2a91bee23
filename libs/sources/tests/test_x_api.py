"""Collecting through X's official API from the sandbox: what it finds, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from xget_sandbox.app import Sandbox
from xget_sources.ports import ApiCredential, CollectRequest, NoAccount, NotOffered, PageToParse, RawPage, SourceStopped
from xget_sources.x_api.api_source import XApiSource
from xget_sources.x_api.queries import translated
from xget_testing.lending import HastyClock, Lender

Start = Callable[..., Awaitable[Sandbox]]
Gather = Callable[..., Awaitable[list[RawPage]]]


@pytest.fixture
async def api() -> AsyncIterator[XApiSource]:
    made = XApiSource(HastyClock())
    yield made
    await made.close()


@pytest.fixture
async def sandbox(start: Start) -> Sandbox:
    return await start()


@pytest.fixture
def lent(sandbox: Sandbox) -> Lender:
    """One app whose plan has everything."""
    lender = Lender(sandbox.proxy_url, ("app",))
    lender.api["app"] = ApiCredential(bearer_token="app", full_archive=True)
    return lender


@pytest.fixture
def read(api: XApiSource) -> Gather:
    async def pages(lender: Lender, task_type: str, cursor: str | None = None, **more: Any) -> list[RawPage]:
        most = more.pop("most", 1000)
        own = {name: more.pop(name) for name in ("wanted", "again", "since_run", "until_run") if name in more}
        request = CollectRequest(
            task_type=task_type, parameters=more, wanted=own.get("wanted"), again=own.get("again", False),
            since=own.get("since_run"), until=own.get("until_run"),
        )  # fmt: skip
        found: list[RawPage] = []
        async with aclosing(api.collect(request, lender, cursor)) as stream:
            async for page in stream:
                found.append(page)
                assert lender.held == set()
                if len(found) == most:
                    break
        return found

    return pages


def keys(pages: list[RawPage]) -> list[str]:
    return [key.rpartition(":")[2] for page in pages if page.counts for key in page.entry_keys]


WISHES = {
    "KEYWORD_SEARCH": {"query": "climate OR AI", "since": "2026-06-01"},
    "HASHTAG_SEARCH": {"hashtag": "AI"},
    "USER_INFO": {"username": "elonmusk"},
    "USER_TWEETS": {"username": "elonmusk", "include_replies": True},
    "USER_FOLLOWERS": {"username": "elonmusk"},
    "USER_FOLLOWING": {"user_id": "44196397"},
    "LIST_TIMELINE": {"list_id": "1001"},
    "LIST_MEMBERS": {"list_id": "1001"},
}


async def test_each_task_type_finds_what_exists(sandbox: Sandbox, lent: Lender, read: Gather, api: XApiSource) -> None:
    for task_type, wish in WISHES.items():
        pages = await read(lent, task_type, **wish)
        truth = sandbox.truth.answer({"task_type": task_type, **{k: str(v) for k, v in wish.items()}})
        assert sorted(keys(pages)) == sorted(map(str, truth["matches"])), task_type
        assert pages[-1].end_reason in ("exhausted", "window_covered"), task_type
        for page in pages:
            parsed = api.parse(PageToParse(
                task_type=task_type, operation=page.operation, body=page.body, match_keys=frozenset(page.entry_keys),
                fetched_at=page.fetched_at,
            ))  # fmt: skip
            assert parsed.rejected == []
            if page.counts:
                assert {item.key for item in parsed.items if item.role == "match"} == set(page.entry_keys)


async def test_without_the_archive_a_search_says_how_far_back_it_went(
    sandbox: Sandbox, lent: Lender, read: Gather
) -> None:
    lent.api["app"] = ApiCredential(bearer_token="basic-app")
    pages = await read(lent, "KEYWORD_SEARCH", query="climate", since=datetime(2026, 7, 1, tzinfo=UTC))
    week = datetime(2026, 7, 25, 12, tzinfo=UTC)
    assert (pages[-1].end_reason, pages[-1].reach) == ("reach_ended", week)
    truth = sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", "query": f"climate since_time:{week.timestamp():.0f}"})
    assert sorted(keys(pages)) == sorted(map(str, truth["matches"]))
    within = await read(lent, "KEYWORD_SEARCH", query="climate", since=datetime(2026, 7, 28, tzinfo=UTC))
    assert within[-1].end_reason == "window_covered"
    with pytest.raises(NotOffered, match="last 7 days"):
        await read(lent, "KEYWORD_SEARCH", query="climate", until_run=datetime(2026, 7, 2, tzinfo=UTC),
                   since_run=datetime(2026, 7, 1, tzinfo=UTC))  # fmt: skip


async def test_it_goes_on_from_a_cursor_and_asks_for_no_more_than_is_wanted(lent: Lender, read: Gather) -> None:
    whole = await read(lent, "KEYWORD_SEARCH", query="climate")
    assert len(whole) > 2
    assert keys(await read(lent, "KEYWORD_SEARCH", whole[0].cursor_out, query="climate")) == keys(whole[1:])
    lent.spends.clear()
    few = await read(lent, "USER_FOLLOWERS", username="elonmusk", wanted=7, most=2)
    assert len(few[1].entry_keys) == 7
    assert [spend.units for spend in lent.spends[:2]] == [1, 7]
    assert lent.outcomes[-1].units <= 7


@pytest.mark.parametrize(
    ("faults", "token", "reason"),
    [
        ("500:tweetsRecentSearch%1", "basic-app", "source_error"),
        ("html:tweetsRecentSearch%1", "basic-app", "blocked"),
        ("malformed:tweetsRecentSearch%1", "basic-app", "source_error"),
        ("drop:tweetsRecentSearch%1", "basic-app", "source_error"),
    ],
)
async def test_what_goes_wrong_has_a_typed_end(
    start: Start, read: Gather, faults: str, token: str, reason: str
) -> None:
    sandbox = await start(faults=[faults])
    lender = Lender(sandbox.proxy_url, ("app",))
    lender.api["app"] = ApiCredential(bearer_token=token)
    with pytest.raises(SourceStopped) as stopped:
        await read(lender, "KEYWORD_SEARCH", query="climate")
    assert stopped.value.reason == reason


@pytest.mark.parametrize("token", ["bad-app", "free-app"])
async def test_an_account_that_is_refused_is_not_asked_again(
    sandbox: Sandbox, lent: Lender, read: Gather, token: str
) -> None:
    lent.api["app"] = ApiCredential(bearer_token=token)
    with pytest.raises(NoAccount):
        await read(lent, "KEYWORD_SEARCH", query="climate")
    assert [outcome.body_kind.partition(":")[0] for outcome in lent.outcomes] == ["problem"]


async def test_what_is_missing_says_why(sandbox: Sandbox, lent: Lender, read: Gather) -> None:
    gone = {one.standing: one.handle for one in sandbox.world.authors.values()}
    for task_type, wish, reason in (
        ("USER_INFO", {"username": "nobody_here"}, "not_found"),
        ("USER_TWEETS", {"username": gone["suspended"]}, "suspended"),
        ("USER_TWEETS", {"username": gone["protected"]}, "protected"),
        ("TWEET_DETAIL", {"tweet_id": "1"}, "not_found"),
        ("LIST_TIMELINE", {"list_id": "7"}, "not_found"),
    ):
        with pytest.raises(SourceStopped) as stopped:
            await read(lent, task_type, **wish)
        assert stopped.value.reason == reason, (task_type, wish)


async def test_a_users_token_is_renewed_once_and_kept_before_it_is_used(
    sandbox: Sandbox, lent: Lender, read: Gather
) -> None:
    lent.api["app"] = ApiCredential(client_id="c", client_secret="s", refresh_token="refresh-anna")
    await read(lent, "USER_INFO", username="elonmusk")
    await read(lent, "USER_INFO", username="elonmusk")
    kept = lent.api["app"]
    assert (kept.access_token, kept.refresh_token) == ("user-anna-1", "refresh-anna-1")
    assert repr(kept) == "ApiCredential(…)"


@pytest.mark.parametrize(
    ("web", "api"),
    [
        ("climate", "climate -is:retweet"),
        ("a OR b", "(a OR b) -is:retweet"),
        ("climate a OR b filter:links", "climate (a OR b) has:links -is:retweet"),
        ("(a OR b) -(c d) include:nativeretweets", "(a OR b) -(c d)"),
        ('"two words" from:nasa -filter:replies', '"two words" from:nasa -is:reply -is:retweet'),
        ("x filter:nativeretweets", "x is:retweet"),
        ("quoted_tweet_id:20 -filter:nativeretweets", "quotes_of_tweet_id:20 -is:retweet"),
    ],
)
def test_a_query_is_said_in_the_apis_words(web: str, api: str) -> None:
    assert translated(web).text == api


def test_times_and_ids_of_a_query_become_its_window() -> None:
    found = translated("x since:2026-07-01 until_time:1785000000 since_id:5 max_id:9")
    assert (found.text, found.since, found.bounds) == (
        "x -is:retweet", datetime(2026, 7, 1, tzinfo=UTC), {"since_id": "5", "until_id": "10"},
    )  # fmt: skip
    assert found.until == datetime.fromtimestamp(1785000000, UTC)


@pytest.mark.parametrize(
    "query", ["x min_faves:3", "near:Oslo x", "a OR since:2026-01-01", "x " * 300, "until:2026-01-01"]
)
def test_what_the_api_cannot_be_asked_is_said(query: str) -> None:
    with pytest.raises(NotOffered, match="X's API"):
        translated(query)


async def test_the_sandbox_counts_what_is_read(sandbox: Sandbox, lent: Lender, read: Gather) -> None:
    await read(lent, "USER_TWEETS", username="elonmusk")
    told = sandbox.api.credentials.told()
    assert told["read"] == {"app": sum(outcome.units for outcome in lent.outcomes) - 1}


async def test_the_posts_of_a_search_are_counted_for_nothing(sandbox: Sandbox, lent: Lender, api: XApiSource) -> None:
    wish = {"query": "climate", "since": "2026-05-01"}
    truth = sandbox.truth.answer({"task_type": "KEYWORD_SEARCH", **wish})
    counted = await api.count("KEYWORD_SEARCH", wish, lent)
    assert (counted.posts, counted.whole, counted.requests) == (len(truth["matches"]), True, 3)
    assert {spend.units for spend in lent.spends} == {outcome.units for outcome in lent.outcomes} == {0}
    assert sandbox.api.credentials.told()["read"] == {}
    lent.api["app"] = ApiCredential(bearer_token="basic-app")
    recent = await api.count("KEYWORD_SEARCH", wish, lent)
    assert 0 < recent.posts < counted.posts
    assert recent.whole is False
    with pytest.raises(NotOffered, match="counts the posts of searches only"):
        await api.count("USER_TWEETS", {"username": "elonmusk"}, lent)
