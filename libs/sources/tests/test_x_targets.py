"""Targets: what a task is about, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from xget_sources.ports import SourceStopped, Target
from xget_sources.x.missing import no_more, no_post, no_timeline, profile_of, reason_of
from xget_sources.x.tasks import TASK_TYPES
from xget_sources.x.x_source import XSource


def named(source: XSource, task_type: str, **parameters: Any) -> list[tuple[str, dict[str, Any]]]:
    valid = TASK_TYPES[task_type].parameters.model_validate(parameters).model_dump(mode="json", exclude_none=True)
    return [(target.label, dict(target.parameters)) for target in source.targets(task_type, valid)]


@pytest.mark.parametrize(
    ("task_type", "parameters", "expected"),
    [
        ("USER_INFO", {"username": "@nasa", "limit": 5}, [("@nasa", {"username": "nasa"})]),
        (
            "USER_TWEETS",
            {"usernames": ["NASA", "@nasa", "esa"], "since": "2026-01-01", "limit": 9, "limit_per_target": 5},
            [
                ("@NASA", {"username": "NASA", "since": "2026-01-01T00:00:00Z"}),
                ("@esa", {"username": "esa", "since": "2026-01-01T00:00:00Z"}),
            ],
        ),
        ("USER_REPLIES", {"user_ids": [12, "12", 5]}, [("user 12", {"user_id": "12"}), ("user 5", {"user_id": "5"})]),
        (
            "QUOTES",
            {"tweet_ids": ["20", "21"], "lang": "en"},
            [
                ("quoted_tweet_id:20 lang:en", {"tweet_id": "20", "lang": "en", "product": "Latest"}),
                ("quoted_tweet_id:21 lang:en", {"tweet_id": "21", "lang": "en", "product": "Latest"}),
            ],
        ),
        (
            "KEYWORD_SEARCH",
            {"queries": ["AI", "ai", "AI"], "min_likes": 3},
            [
                ("AI min_faves:3", {"query": "AI", "min_likes": 3, "product": "Latest"}),
                ("ai min_faves:3", {"query": "ai", "min_likes": 3, "product": "Latest"}),
            ],
        ),
        (
            "HASHTAG_SEARCH",
            {"hashtags": ["#AI", "ai"]},
            [("#AI", {"hashtag": "AI", "product": "Latest"})],
        ),
        ("LIST_MEMBERS", {"list_ids": [1, 2]}, [("list 1", {"list_id": "1"}), ("list 2", {"list_id": "2"})]),
        ("COMMUNITY_INFO", {"community_id": 7}, [("community 7", {"community_id": "7"})]),
        ("USER_SEARCH", {"queries": ["nasa", "esa"]}, [(f"people {one}", {"query": one}) for one in ("nasa", "esa")]),
        ("TRENDS", {}, [("tab trending", {"category": "trending"})]),
        ("BOOKMARKS", {"limit": 3}, [("bookmarks", {})]),
    ],
)
def test_each_target_is_a_task_of_its_own(
    source: XSource, task_type: str, parameters: dict[str, Any], expected: list[tuple[str, dict[str, Any]]]
) -> None:
    targets = named(source, task_type, **parameters)
    assert targets == expected
    for _, own in targets:
        assert len(named(source, task_type, **own)) == 1


def test_ten_thousand_targets_are_made_as_they_are_read(source: XSource) -> None:
    names = [f"user_{number}" for number in range(10_000)]
    targets = source.targets("USER_TWEETS", {"usernames": names})
    assert isinstance(targets, Iterator)
    assert next(targets) == Target(label="@user_0", parameters={"username": "user_0"})
    assert sum(1 for _ in targets) == 9_999
    with pytest.raises(ValidationError, match="at most 10000"):
        TASK_TYPES["USER_TWEETS"].parameters.model_validate({"usernames": [*names, "more"]})


def test_a_bad_target_is_named_by_its_index() -> None:
    with pytest.raises(ValidationError) as refused:
        TASK_TYPES["TWEET_DETAIL"].parameters.model_validate({"tweet_ids": ["20", "twenty"]})
    assert [error["loc"] for error in refused.value.errors()] == [("tweet_ids", 1)]


def test_old_parameters_that_are_not_valid_any_more_end_with_a_sentence(source: XSource) -> None:
    with pytest.raises(SourceStopped, match="not valid"):
        list(source.targets("USER_TWEETS", {"colour": "red"}))


async def test_x_is_asked_for_one_target_at_a_time(gather: Any, lender: Any) -> None:
    with pytest.raises(SourceStopped, match="one target at a time"):
        await gather(lender(None), "USER_INFO", usernames=["nasa", "esa"])


def error(code: int | None, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message} | ({"code": code} if code else {})], "data": {}}


def tombstone(text: str) -> dict[str, Any]:
    return {"data": {"x": [{"__typename": "TweetTombstone", "tombstone": {"text": {"text": text}}}]}}


def unavailable(**told: str) -> dict[str, Any]:
    return {"data": {"user": {"result": {"__typename": "UserUnavailable", **told}}}}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (tombstone("This Post is from a suspended account. Learn more"), "suspended"),
        (tombstone("This Post is from an account that no longer exists."), "not_found"),
        (tombstone("This Post was deleted by the Post author."), "not_found"),
        (tombstone("You’re unable to view this Post because this account owner limits who can view."), "protected"),
        (tombstone("Age-restricted adult content."), "unavailable"),
        (tombstone("This Post is unavailable."), "unavailable"),
        (tombstone("@a's account has been withheld in Germany in response to a legal demand."), "unavailable"),
        (error(144, "_Missing: No status found with that ID."), "not_found"),
        (error(179, "Sorry, you are not authorized to see this status."), "protected"),
        (error(63, "User has been suspended."), "suspended"),
        ({"data": {}}, "not_found"),
    ],
)
def test_a_post_that_is_not_shown_says_why(payload: Any, reason: str) -> None:
    ended = no_post(payload, "20")
    assert (ended.reason, ended.retryable) == (reason, False)
    assert "post 20" in ended.detail


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (unavailable(reason="Suspended", message="User is suspended"), "suspended"),
        (unavailable(reason="NotFound"), "not_found"),
        (unavailable(reason="Withheld"), "unavailable"),
        (unavailable(), "unavailable"),
        (error(50, "User not found."), "not_found"),
        (error(None, "Strange."), "not_found"),
        ({"data": {"user": {}}}, "not_found"),
    ],
)
def test_a_user_who_is_not_shown_says_why(payload: Any, reason: str) -> None:
    with pytest.raises(SourceStopped) as stopped:
        profile_of(payload, "user @nasa")
    assert (stopped.value.reason, stopped.value.retryable) == (reason, False)
    assert "@nasa" in stopped.value.detail


def test_what_was_shown_in_part_is_tried_again_unless_x_says_why_not() -> None:
    gone = no_more(error(144, "_Missing: No status found with that ID."), "conversation of post 20")
    assert (gone.reason, gone.retryable) == ("not_found", False)
    odd = no_more({"data": {}}, "conversation of post 20")
    assert (odd.reason, odd.retryable) == ("source_error", True)
    assert no_timeline({"data": {"list": {}}}, "list 5").reason == "unavailable"
    assert reason_of(["Timeout: Unspecified"]) is None


@pytest.mark.parametrize(
    ("task_type", "parameters", "operations", "lookups"),
    [
        ("USER_TWEETS", {"usernames": ["a", "b"]}, ["UserByScreenName", "UserTweets"], 2),
        ("USER_TWEETS", {"user_id": 5, "include_replies": True}, ["UserTweetsAndReplies"], 0),
        ("USER_FOLLOWERS", {"user_id": 5}, ["Followers"], 0),
        ("USER_INFO", {"username": "a"}, ["UserByScreenName"], 0),
        ("USER_INFO", {"user_ids": [5, 6]}, ["UserByRestId"], 0),
        ("USER_ABOUT", {"username": "a"}, ["AboutAccountQuery"], 0),
        ("USER_ABOUT", {"user_id": 5}, ["UserByRestId", "AboutAccountQuery"], 1),
        ("QUOTES", {"tweet_id": 20}, ["SearchTimeline"], 0),
    ],
)
def test_a_preview_names_the_operations_that_the_parameters_need(
    source: XSource, task_type: str, parameters: dict[str, Any], operations: list[str], lookups: int
) -> None:
    seen = source.preview(task_type, parameters)
    assert (seen.operations, seen.lookups) == (operations, lookups)
    assert len(seen.asks) + seen.more == seen.targets


@pytest.mark.parametrize(
    ("task_type", "parameters", "says"),
    [
        ("KEYWORD_SEARCH", {"query": "AI", "until": "2005-01-01"}, "2006"),
        ("KEYWORD_SEARCH", {"query": "AI", "until": "2999-01-01"}, "future"),
        ("KEYWORD_SEARCH", {"query": "AI", "product": "Top"}, "Latest"),
        ("USER_TWEETS", {"usernames": ["a", "b"], "limit": 9, "limit_per_target": 3}, "at most 6"),
        ("USER_INFO", {"usernames": ["a", "b"], "limit": 1}, "smaller than the number of targets"),
    ],
)
def test_a_preview_warns_of_what_is_odd(source: XSource, task_type: str, parameters: dict[str, Any], says: str) -> None:
    assert [warning for warning in source.preview(task_type, parameters).warnings if says in warning]
