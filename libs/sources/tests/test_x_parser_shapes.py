"""Shapes of X that the recordings do not show, written by hand and held against twscrape where it can read them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from xget_contracts.items import Item
from xget_sources.ports import PageToParse, Parsed
from xget_sources.x.parser import parse_page, parse_payload
from xget_sources.x.parser.timeline import read_timeline
from xget_testing.x_truth import post_differences, theirs, user_differences

OLD_USER = {
    "__typename": "User",
    "id": "VXNlcjo3",
    "rest_id": "7",
    "is_blue_verified": True,
    "legacy": {
        "created_at": "Sat Dec 14 04:35:55 +0000 2013", "name": "Ada", "screen_name": "ada", "description": "Hi https://t.co/a",
        "followers_count": 5, "friends_count": 6, "statuses_count": 7, "favourites_count": 8, "listed_count": 9,
        "media_count": 10, "location": "London", "profile_image_url_https": "https://pbs.twimg.com/a_normal.jpg",
        "profile_banner_url": "https://pbs.twimg.com/banner/7", "verified": False, "protected": False,
        "pinned_tweet_ids_str": ["100"],
        "entities": {
            "description": {"urls": [{"url": "https://t.co/a", "expanded_url": "https://a.com", "display_url": "a"}]},
            "url": {"urls": [{"url": "https://t.co/b", "expanded_url": "https://b.example"}]},
        },
    },
}  # fmt: skip


def post(native_id: str = "1700000000000000001", **changes: Any) -> dict[str, Any]:
    legacy = {
        "id_str": native_id, "user_id_str": "7", "created_at": "Wed Sep 06 12:00:00 +0000 2023", "full_text": "Hello",
        "lang": "en", "reply_count": 1, "retweet_count": 2, "favorite_count": 3, "quote_count": 4, "bookmark_count": 5,
        "conversation_id_str": native_id, "entities": {},
    }  # fmt: skip
    outer = {name: changes.pop(name) for name in list(changes) if name in OUTER}
    return {
        "__typename": "Tweet",
        "rest_id": native_id,
        "core": {"user_results": {"result": copy.deepcopy(OLD_USER)}},
        "legacy": legacy | changes,
        **outer,
    }


OUTER = ("card", "note_tweet", "views", "quoted_status_result", "core", "edit_control", "source", "community_results")


def page(*results: Any) -> dict[str, Any]:
    entries = [
        {
            "entryId": f"tweet-{n}",
            "content": {"itemContent": {"__typename": "TimelineTweet", "tweet_results": {"result": r}}},
        }
        for n, r in enumerate(results)
    ]
    return {"data": {"timeline": {"instructions": [{"type": "TimelineAddEntries", "entries": entries}]}}}


def card(name: str, **values: Any) -> dict[str, Any]:
    kinds = {str: "string_value", bool: "boolean_value", dict: "image_value"}
    types = {str: "STRING", bool: "BOOLEAN", dict: "IMAGE"}
    bindings = [{"key": k, "value": {kinds[type(v)]: v, "type": types[type(v)]}} for k, v in values.items()]
    return {"rest_id": "card://1", "legacy": {"name": name, "url": "card://1", "binding_values": bindings}}


def only(parsed: Parsed) -> Item:
    assert parsed.rejected == []
    (item,) = parsed.items
    return item


def image(height: int) -> dict[str, Any]:
    return {"url": f"https://pbs.twimg.com/{height}", "height": height, "width": height}


DETAILS = {"type": "details", "data": {"title": {"content": "T"}, "subtitle": {"content": "S"}}}
UNIFIED = json.dumps(
    {
        "type": "video_website",
        "component_objects": {"details_1": DETAILS},
        "destination_objects": {
            "browser_with_docked_media_1": {"data": {"url_data": {"url": "https://c.example", "vanity": "c.example"}}}
        },
        "media_entities": {
            "m": {
                "type": "video", "id_str": "5", "media_url_https": "https://pbs.twimg.com/v.jpg",
                "video_info": {"duration_millis": 9, "variants": [{"bitrate": 1, "content_type": "video/mp4", "url": "https://v"}]},
            }
        },
    }
)  # fmt: skip
POLL = {
    "choice1_label": "A",
    "choice1_count": "3",
    "choice2_label": "B",
    "choice2_count": "4",
    "counts_are_final": True,
}
CARDS = [
    card("summary", title="T", description="D", vanity_url="c.example", card_url="https://t.co/c", photo=image(5)),
    card("summary_large_image", title="Short", photo_alt_text="A longer title", small=image(5), large=image(500)),
    card("player", title="T", player_url="https://p.example", card_url="https://t.co/c"),
    card("poll2choice_text_only", **POLL, duration_minutes="1440", end_datetime_utc="2023-09-07T12:00:00Z"),
    card("poll4choice_image", **POLL, choice3_label="C", choice3_count="5", choice4_label="D", choice4_count="6"),
    card(
        "745291183405076480:broadcast", broadcast_url="https://x.com/i/broadcasts/1", broadcast_title="Live", i=image(9)
    ),
    card("3691233323:audiospace", card_url="https://t.co/s", id="1abc"),
    card("unified_card", unified_card=UNIFIED),
]


@pytest.mark.parametrize("raw", CARDS, ids=lambda raw: raw["legacy"]["name"])
def test_cards_are_what_twscrape_makes_of_them(raw: Any) -> None:
    payload = page(post(card=raw))
    item = only(parse_payload(payload, ()))
    assert item.card is not None
    tweets, _, _ = theirs(payload)
    assert [line for tweet in tweets.values() for line in post_differences(tweet, item)] == []


def test_an_image_poll_keeps_every_choice_and_a_unified_card_its_video() -> None:
    poll = only(parse_payload(page(post(card=CARDS[4])), ())).card
    assert poll is not None
    assert [(option.label, option.votes) for option in poll.options] == [("A", 3), ("B", 4), ("C", 5), ("D", 6)]
    unified = only(parse_payload(page(post(card=CARDS[7])), ())).card
    assert unified is not None
    assert (unified.title, unified.url, unified.values["video"]["duration_ms"]) == ("T", "https://c.example", 9)


def test_an_old_user_layout_is_read_like_a_new_one() -> None:
    payload = page(post())
    (author,) = parse_payload(payload, ()).authors
    _, users, _ = theirs(payload)
    assert user_differences(users["7"], author) == []
    assert author.metrics.listed == 9


def test_posts_behind_visibility_are_found() -> None:
    hidden = {"__typename": "TweetWithVisibilityResults", "limitedActionResults": {}, "tweet": post("11")}
    del hidden["tweet"]["__typename"]
    wrapped = {"__typename": "TweetWithVisibilityResults", "tweet": post("13")}
    quoting = post("12", quoted_status_result={"result": wrapped}, quoted_status_id_str="13", is_quote_status=True)
    parsed = parse_payload(page(hidden, quoting), ["x:11"])
    assert parsed.rejected == []
    assert {item.native_id: item.role for item in parsed.items} == {"11": "match", "12": "context", "13": "context"}
    assert next(item for item in parsed.items if item.native_id == "12").quoted_id == "13"


def test_a_cut_repost_gets_its_whole_text_and_views() -> None:
    note = {
        "note_tweet_results": {"result": {"text": "A very long text", "entity_set": {"hashtags": [{"text": "long"}]}}}
    }
    original = post("21", note_tweet=note, views={"count": "77"}, full_text="A very…")
    payload = page(post("22", full_text="RT @ada: A very…", retweeted_status_result={"result": original}))
    items = {item.native_id: item for item in parse_payload(payload, ()).items}
    assert items["22"].raw_text == "RT @ada: A very long text"
    assert (items["22"].reposted_id, items["22"].metrics.views) == ("21", 77)
    assert (items["21"].hashtags, items["21"].extra["long"]) == (["long"], True)
    tweets, _, _ = theirs(payload)
    assert [line for key, tweet in tweets.items() for line in post_differences(tweet, items[key])] == []


def test_fields_at_the_top_level_are_read_when_legacy_is_null() -> None:
    flat = post("31")
    flat = {**flat, **flat.pop("legacy"), "legacy": None, "source": '<a href="https://x.example">App</a>'}
    item = only(parse_payload(page(flat), ()))
    assert (item.raw_text, item.metrics.likes, item.source_app, item.source_url) == (
        "Hello",
        3,
        "App",
        "https://x.example",
    )
    tweets, _, _ = theirs(page(flat))
    assert post_differences(tweets["31"], item) == []


def test_a_video_without_duration_and_a_place_with_a_point_are_kept() -> None:
    video = {"type": "video", "media_url_https": "https://pbs.twimg.com/v.jpg", "video_info": {"variants": []}}
    place = {
        "id": "p",
        "full_name": "Austin, TX",
        "name": "Austin",
        "place_type": "city",
        "country": "US",
        "country_code": "US",
    }
    for where in ({"coordinates": {"coordinates": [1.5, 2]}}, {"geo": {"coordinates": [2, 1.5]}}):
        item = only(parse_payload(page(post(extended_entities={"media": [video]}, place=place, **where)), ()))
        assert item.media[0].duration_ms is None
        assert item.place is not None
        assert item.coordinates is not None
        assert (item.coordinates.longitude, item.coordinates.latitude) == (1.5, 2.0)


def test_versions_of_an_edited_post_are_posts_of_their_own() -> None:
    control = {
        "edit_control_initial": {"edit_tweet_ids": ["41", "42"], "edits_remaining": "4"},
        "initial_tweet_id": "41",
    }
    parsed = parse_payload(page(post("42", edit_control=control), post("41")), ())
    edited = next(item for item in parsed.items if item.native_id == "42")
    assert edited.extra["edit"] == {"ids": ["41", "42"], "initial_id": "41", "remaining": 4}
    assert len(parsed.items) == 2


def test_an_author_who_is_gone_costs_no_post_but_a_post_by_nobody_is_rejected() -> None:
    gone = {"user_results": {"result": {"__typename": "UserUnavailable"}}}
    item = only(parse_payload(page(post(core=gone)), ()))
    assert (item.author_id, item.author_username) == ("7", None)
    parsed = parse_payload(page(post(core=gone, user_id_str=None), post("51", full_text=None)), ())
    assert [one.reason for one in parsed.rejected] == ["the post names no author", "the post has no text"]
    assert (
        parsed.rejected[0].path == "data.timeline.instructions[0].entries[0].content.itemContent.tweet_results.result"
    )
    assert json.loads(parsed.rejected[1].raw)["rest_id"] == parsed.rejected[1].native_id == "51"


def test_a_post_without_a_date_gets_that_of_its_id() -> None:
    item = only(parse_payload(page(post("1649191520250245121", created_at=None)), ()))
    assert item.created_at is not None
    assert item.created_at.replace(microsecond=0) == datetime(2023, 4, 20, 23, 21, 13, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"data":', b"\xff\xfe"])
def test_a_body_that_is_no_json_is_rejected_whole(body: bytes) -> None:
    made = PageToParse(task_type="x", operation="y", body=body, match_keys=frozenset(), fetched_at=datetime.now(UTC))
    parsed = parse_page(made)
    assert [(one.path, one.raw) for one in parsed.rejected] == [("$", body)]


def test_broken_characters_are_replaced() -> None:
    body = json.dumps(page(post(full_text="cut \ud83d"))).encode()
    made = PageToParse(task_type="x", operation="y", body=body, match_keys=frozenset(), fetched_at=datetime.now(UTC))
    assert only(parse_page(made)).raw_text == "cut ?"


def test_a_timeline_is_read_with_its_pin_modules_and_advertisements() -> None:
    def entry(name: str, **content: Any) -> dict[str, Any]:
        return {"entryId": name, "content": content}

    def shown(native_id: str, **more: Any) -> dict[str, Any]:
        return {"itemContent": {"tweet_results": {"result": post(native_id)}, **more}}

    payload = {
        "instructions": [
            {"type": "TimelinePinEntry", "entry": entry("tweet-1", **shown("1"))},
            {
                "type": "TimelineAddEntries",
                "entries": [
                    entry("promoted-tweet-2", **shown("2", promotedMetadata={})),
                    entry("profile-conversation-3", items=[{"item": shown("3")}, {"item": shown("4")}]),
                    entry("who-to-follow-5", items=[{"item": {"itemContent": {"user_results": {"result": OLD_USER}}}}]),
                    entry("cursor-bottom-6", cursorType="Bottom", value="next"),
                ],
            },
            {"type": "TimelineAddToModule", "moduleItems": [{"entryId": "profile-grid-0-tweet-7", "item": shown("7")}]},
        ]
    }
    read = read_timeline(payload)
    assert [(one.kind, one.id) for one in read.entries] == [
        ("post", "1"), ("post", "2"), ("post", "3"), ("post", "4"), ("user", "7"), ("post", "7"),
    ]  # fmt: skip
    assert [one.aside for one in read.entries] == [False, True, False, False, True, False]
    assert [one.pinned for one in read.entries] == [True] + [False] * 5
    assert read.entries[2].group == read.entries[3].group
    assert (read.cursor, read.ended) == ("next", False)


def test_a_community_slice_is_a_timeline_too() -> None:
    payload = {"data": {"members_slice": {"items_results": [{"result": OLD_USER}], "slice_info": {"next_cursor": "n"}}}}
    read = read_timeline(payload)
    assert [(one.kind, one.id) for one in read.entries] == [("user", "7")]
    assert read.cursor == "n"
