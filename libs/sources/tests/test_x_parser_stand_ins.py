"""What X shows in a post's place: recorded when X names the post, counted when not, never in the way of the post."""

from __future__ import annotations

from typing import Any

import pytest

from xget_contracts.items import Item
from xget_sources.x.parser import parse_payload
from xget_sources.x.parser.timeline import read_timeline

USER = {
    "__typename": "User",
    "rest_id": "7",
    "core": {"screen_name": "ada", "name": "Ada", "created_at": "Sat Dec 14 04:35:55 +0000 2013"},
}
SUSPENDED = "This Post is from a suspended account. Learn more"
DELETED = "This Post was deleted by the Post author. Learn more"


def post(native_id: str, **more: Any) -> dict[str, Any]:
    legacy = {"id_str": native_id, "user_id_str": "7", "full_text": "Hello", "conversation_id_str": native_id}
    legacy |= {name: more.pop(name) for name in list(more) if name.endswith("_id_str")}
    core = {"user_results": {"result": USER}}
    return {"__typename": "Tweet", "rest_id": native_id, "core": core, "legacy": legacy, **more}


def grave(text: str) -> dict[str, Any]:
    words = {"rtl": False, "text": text, "entities": [{"fromIndex": 0, "toIndex": 5}]}
    return {"__typename": "TweetTombstone", "tombstone": {"__typename": "TextTombstone", "text": words}}


def unavailable(reason: str) -> dict[str, Any]:
    return {"__typename": "TweetUnavailable", "reason": reason}


def entry(name: str, result: Any) -> dict[str, Any]:
    item = {"__typename": "TimelineTweet", "itemType": "TimelineTweet", "tweet_results": {"result": result}}
    if result is None:
        item["tweet_results"] = {}
    return {"entryId": name, "content": {"__typename": "TimelineTimelineItem", "itemContent": item}}


def page(*entries: Any) -> dict[str, Any]:
    return {"data": {"timeline": {"instructions": [{"type": "TimelineAddEntries", "entries": list(entries)}]}}}


def gone(payload: Any) -> dict[str, str | None]:
    parsed = parse_payload(payload, ())
    assert parsed.rejected == []
    return {item.native_id: item.gone for item in parsed.items if item.gone}


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (grave(DELETED), "deleted"),
        (grave(SUSPENDED), "suspended"),
        (grave("This Post has been withheld in Germany in response to a legal demand. Learn more"), "withheld"),
        (
            grave("Age-restricted adult content. This content might not be appropriate for people under 18."),
            "age_gated",
        ),
        (
            grave("You’re unable to view this Post because this account owner limits who can view their Posts."),
            "limited",
        ),
        (grave("This Post is unavailable. Learn more"), "unavailable"),
        (grave("This Post is from an account that no longer exists."), "unavailable"),
        (unavailable("Suspended"), "suspended"),
        (unavailable("Protected"), "limited"),
        (unavailable("NsfwLoggedOut"), "age_gated"),
        (unavailable("BounceDeleted"), "deleted"),
        (unavailable("Unspecified"), "unavailable"),
        (None, "unavailable"),
    ],
)
def test_a_stand_in_in_the_place_of_a_named_post_is_recorded_with_its_reason(result: Any, reason: str) -> None:
    assert gone(page(entry("tweet-11", result), entry("tweet-12", post("12")))) == {"11": reason}


def test_a_recorded_stand_in_says_nothing_but_that_the_post_is_gone() -> None:
    (item,) = parse_payload(page(entry("tweet-11", grave(DELETED))), ["x:11"]).items
    assert item == Item(
        key="x:11", platform="x", native_id="11", role="match", gone="deleted", gone_text=DELETED
    )  # fmt: skip


def test_an_entry_of_a_conversation_names_the_post_too() -> None:
    module = {"entryId": "conversationthread-1-tweet-21", "item": entry("", grave(DELETED))["content"]}
    plain = {"entryId": "conversationthread-1", "content": {"items": [module]}}
    assert gone(page(plain)) == {"21": "deleted"}


def test_a_quoted_or_repeated_post_that_is_gone_is_named_by_the_post_that_shows_it() -> None:
    quoting = post("12", quoted_status_id_str="5", quoted_status_result={"result": grave(SUSPENDED)})
    repeating = post("13", retweeted_status_id_str="6")
    repeating["legacy"]["retweeted_status_result"] = {"result": unavailable("Protected")}
    assert gone(page(entry("tweet-12", quoting), entry("tweet-13", repeating))) == {"5": "suspended", "6": "limited"}


def test_results_by_id_name_the_posts_that_are_missing() -> None:
    payload = {"data": {"tweetResult": [{"rest_id": "31", "result": unavailable("Suspended")}, {"result": post("32")}]}}
    assert gone(payload) == {"31": "suspended"}


def test_a_stand_in_without_a_number_is_counted_and_not_invented() -> None:
    whole = {
        "entryId": "tombstone-77",
        "content": {
            "itemContent": {
                "__typename": "TimelineTombstone",
                "tombstoneInfo": {"text": "", "richText": {"text": SUSPENDED}},
            }
        },
    }
    quoting = post("12", quoted_status_result={"result": grave(DELETED)})
    suspended = {"__typename": "UserUnavailable", "reason": "Suspended"}
    member = {"entryId": "user-9", "content": {"itemContent": {"user_results": {"result": suspended}}}}
    parsed = parse_payload(page(whole, entry("tweet-12", quoting), member), ())
    assert [item.native_id for item in parsed.items] == ["12"]
    assert parsed.stand_ins == {"suspended": 1, "deleted": 1, "user:suspended": 1}


def test_a_post_that_the_page_shows_elsewhere_is_not_gone() -> None:
    quoting = post("12", quoted_status_id_str="5", quoted_status_result={"result": grave("This Post is unavailable.")})
    parsed = parse_payload(page(entry("tweet-12", quoting), entry("tweet-5", post("5"))), ())
    assert {item.native_id: item.gone for item in parsed.items} == {"12": None, "5": None}


def test_the_author_of_a_post_that_is_gone_does_not_make_the_post_so() -> None:
    orphan = post("12")
    orphan["core"] = {"user_results": {"result": {"__typename": "UserUnavailable", "reason": "Suspended"}}}
    parsed = parse_payload(page(entry("tweet-12", orphan)), ())
    assert [(item.native_id, item.gone) for item in parsed.items] == [("12", None)]
    assert parsed.stand_ins == {"user:suspended": 1}


def test_a_timeline_lists_a_wrapped_post_and_a_preview_but_no_stand_in() -> None:
    wrapped = {"__typename": "TweetWithVisibilityResults", "tweet": post("11")}
    preview = {"__typename": "TweetPreviewDisplay", "tweet": {"rest_id": "12", "text": "The beginning…"}}
    payload = page(entry("tweet-11", wrapped), entry("tweet-12", preview), entry("tweet-13", grave(DELETED)))
    assert [one.id for one in read_timeline(payload).entries] == ["11", "12"]
