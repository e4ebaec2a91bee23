"""Everything X says of posts, authors, communities and lists that recordings do not show, written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from twscrape.models import parse_about, parse_community

from xget_contracts.items import Item
from xget_sources.x.parser import parse_payload
from xget_testing.x_truth import post_differences, theirs, user_differences

CORE = {"screen_name": "ada", "name": "Ada", "created_at": "Sat Dec 14 04:35:55 +0000 2013"}
USER: dict[str, Any] = {"__typename": "User", "rest_id": "7", "core": CORE}


def post(native_id: str = "11", *, of: Any = USER, legacy: Any = (), **more: Any) -> dict[str, Any]:
    plain = {
        "id_str": native_id, "user_id_str": "7", "created_at": "Wed Sep 06 12:00:00 +0000 2023", "full_text": "Hello",
        "lang": "en", "reply_count": 1, "retweet_count": 2, "favorite_count": 3, "quote_count": 4, "bookmark_count": 5,
        "conversation_id_str": native_id, "entities": {},
    }  # fmt: skip
    core = {"user_results": {"result": of}}
    return {"__typename": "Tweet", "rest_id": native_id, "core": core, "legacy": plain | dict(legacy), **more}


def read(record: Any, native_id: str = "11") -> Item:
    """The item of a record, which twscrape must not read otherwise."""
    payload = {"data": {"result": record}}
    parsed = parse_payload(payload, ())
    assert parsed.rejected == []
    items = {item.native_id: item for item in parsed.items}
    tweets, _, _ = theirs(payload)
    assert [line for key, tweet in tweets.items() for line in post_differences(tweet, items[key])] == []
    return items[native_id]


def test_limited_actions_and_warnings_of_a_wrapped_post_are_kept() -> None:
    limits = [{"action": "Reply"}, {"action": "Retweet"}, {"action": "SendViaDm"}]
    wrapped = {
        "__typename": "TweetWithVisibilityResults",
        "tweet": {name: value for name, value in post().items() if name != "__typename"},
        "limitedActionResults": {"limited_actions": limits},
        "mediaVisibilityResults": {"blurred_image_interstitial": {"text": {"text": "Content warning: Nudity"}}},
    }
    extra = read(wrapped).extra
    assert extra["limited_actions"] == ["Reply", "Retweet", "SendViaDm"]
    assert extra["warning"] == "Content warning: Nudity"
    quoting = post("12", quoted_status_result={"result": wrapped}, legacy={"quoted_status_id_str": "11"})
    assert "limited_actions" not in read(quoting, "12").extra
    assert read(quoting).extra["limited_actions"] == ["Reply", "Retweet", "SendViaDm"]


def test_a_preview_for_subscribers_is_a_post_of_which_little_is_known() -> None:
    tweet = {"rest_id": "11", "text": "The beginning…", "created_at": "Wed Sep 06 12:00:00 +0000 2023"}
    tweet |= {"core": {"user_results": {"result": USER}}, "favorite_count": 9, "views": {"count": "70"}, "entities": {}}
    item = read({"__typename": "TweetPreviewDisplay", "tweet": tweet, "cta": {"title": "Subscribe"}})
    assert (item.raw_text, item.author_username, item.metrics.likes, item.metrics.views) == (
        "The beginning…",
        "ada",
        9,
        70,
    )
    assert (item.extra["preview"], item.extra["subscribers_only"]) == (True, True)


def test_a_long_post_keeps_its_styles_and_an_article_its_text_and_times() -> None:
    styles = [{"from_index": 0, "to_index": 4, "richtext_types": ["Bold", "Italic"]}, {"from_index": "x"}]
    result = {"text": "Long text", "richtext": {"richtext_tags": styles}, "entity_set": {}}
    article = {
        "rest_id": "99", "title": "On numbers", "preview_text": "Numbers are", "plain_text": "Numbers are many.",
        "cover_media": {"media_info": {"original_img_url": "https://pbs.twimg.com/c.jpg"}},
        "metadata": {"first_published_at_secs": 1_700_000_000}, "lifecycle_state": {"modified_at_secs": 1_700_000_100},
    }  # fmt: skip
    record = post(
        note_tweet={"note_tweet_results": {"result": result}}, article={"article_results": {"result": article}}
    )
    item = read(record)
    assert (item.raw_text, item.extra["styles"]) == ("Long text", [{"from": 0, "to": 4, "types": ["Bold", "Italic"]}])
    assert item.extra["article"] == {
        "id": "99", "title": "On numbers", "preview": "Numbers are", "text": "Numbers are many.",
        "cover_url": "https://pbs.twimg.com/c.jpg", "published_s": 1_700_000_000, "modified_s": 1_700_000_100,
    }  # fmt: skip
    article["content_state"] = {"blocks": [{"text": "One"}, {"text": "Two"}]}
    del article["plain_text"]
    assert read(record).extra["article"]["text"] == "One\nTwo"


def test_notes_withheld_countries_and_paid_or_joint_posts_are_told() -> None:
    pivot = {"subtitle": {"text": "Readers added context"}, "note": {"rest_id": "5"}}
    item = read(
        post(
            legacy={"withheld_in_countries": ["DE", "IN"], "withheld_scope": "status", "withheld_copyright": True,
                    "conversation_control": {"policy": "ByInvitation"}, "self_thread": {"id_str": "10"}},
            has_birdwatch_notes=True, birdwatch_pivot=pivot, exclusive_tweet_info={"scope": "x"},
            content_disclosure={"advertising_disclosure": {"is_paid_promotion": True}},
            collab_control={"collaborators_results": {"results": [{"result": {"rest_id": "8"}}]}},
        )
    )  # fmt: skip
    assert item.extra == {
        "has_community_note": True, "community_note": "Readers added context", "community_note_id": "5",
        "withheld_in": ["DE", "IN"], "withheld_scope": "status", "withheld_copyright": True,
        "reply_policy": "ByInvitation", "self_thread_id": "10", "subscribers_only": True, "paid_promotion": True,
        "collaborators": ["8"],
    }  # fmt: skip


def test_media_keep_their_words_marks_and_why_they_cannot_be_had() -> None:
    video = {
        "type": "video", "id_str": "5", "media_url_https": "https://pbs.twimg.com/v.jpg", "ext_alt_text": "A cat",
        "original_info": {"width": 1920, "height": 1080}, "mediaStats": {"viewCount": 88},
        "additional_media_info": {"title": "Cats", "description": "All of them"},
        "sensitive_media_warning": {"adult_content": False, "graphic_violence": True},
        "ext_media_availability": {"status": "Unavailable", "reason": "Dmcaed"},
        "video_info": {"duration_millis": 9000, "variants": [{"bitrate": 8, "content_type": "video/mp4", "url": "https://v/8"}]},
    }  # fmt: skip
    item = read(post(legacy={"extended_entities": {"media": [video]}}))
    (media,) = item.media
    assert (media.title, media.description, media.warnings) == ("Cats", "All of them", ["graphic_violence"])
    assert (media.unavailable, media.alt_text, media.views) == ("Dmcaed", "A cat", 88)
    assert (media.width, media.height, media.duration_ms, media.variants[0].bitrate) == (1920, 1080, 9000, 8)


def test_media_of_a_new_kind_are_told_and_do_not_vanish() -> None:
    hologram = {"type": "hologram", "media_url_https": "https://pbs.twimg.com/h"}
    parsed = parse_payload({"result": post(legacy={"extended_entities": {"media": [hologram]}})}, ())
    assert parsed.items[0].media == []
    assert parsed.items[0].extra["other_media"] == [{"type": "hologram", "url": "https://pbs.twimg.com/h"}]


def test_a_place_has_its_box() -> None:
    corners = [[[-97.9, 30.1], [-97.5, 30.1], [-97.5, 30.5], [-97.9, 30.5]]]
    place = {"id": "p", "full_name": "Austin, TX", "name": "Austin", "place_type": "city", "country": "United States",
             "country_code": "US", "bounding_box": {"type": "Polygon", "coordinates": corners}}  # fmt: skip
    item = read(post(legacy={"place": place}))
    assert item.place is not None
    assert item.place.box == [-97.9, 30.1, -97.5, 30.5]


def test_an_author_keeps_every_field_of_a_profile() -> None:
    label = {"description": "Analytical Society", "userLabelType": "BusinessLabel",
             "badge": {"url": "https://pbs.twimg.com/b.jpg"}, "url": {"url": "https://x.com/as"}}  # fmt: skip
    user = USER | {
        "affiliates_highlighted_label": {"label": label}, "profile_image_shape": "Square",
        "professional": {"professional_type": "Creator", "category": [{"id": 1, "name": "Scientist"}]},
        "parody_commentary_fan_label": "Parody", "creator_subscriptions_count": 3, "super_follow_eligible": True,
        "highlights_info": {"highlighted_tweets": "4"}, "business_account": {"affiliates_count": 12},
        "legacy_extended_profile": {"birthdate": {"day": 10, "month": 12, "visibility": "Public"}},
        "tipjar_settings": {"is_enabled": True, "patreon_handle": "ada"}, "verification": {"verified_type": "Business"},
        "verification_info": {"is_identity_verified": True, "reason": {"verified_since_msec": "1395425700472",
                              "description": {"text": "Verified since 2014"}}},
        "legacy": {"default_profile_image": True, "withheld_in_countries": ["TR"], "is_translator": True,
                   "translator_type": "regular", "profile_interstitial_type": "sensitive_media"},
        "website": {"url": "https://t.co/site"},
    }  # fmt: skip
    payload = {"data": {"user": {"result": user}}}
    (author,) = parse_payload(payload, ()).authors
    _, users, _ = theirs(payload)
    assert [line for line in user_differences(users["7"], author) if " links: " not in line] == []
    assert (author.verified_type, [link.url for link in author.links]) == ("Business", ["https://t.co/site"])
    assert author.extra == {
        "default_avatar": True, "offers_subscriptions": True, "translator": True, "avatar_shape": "Square",
        "parody": "Parody", "affiliation": "Analytical Society", "affiliation_type": "BusinessLabel",
        "affiliation_url": "https://x.com/as", "affiliation_badge_url": "https://pbs.twimg.com/b.jpg",
        "professional": {"type": "Creator", "categories": ["Scientist"]}, "subscriptions": 3, "highlights": 4,
        "affiliates": 12, "tipjar": {"patreon_handle": "ada"}, "verified_since_ms": 1395425700472,
        "verified_because": "Verified since 2014", "identity_verified": True, "translator_type": "regular",
        "interstitial": "sensitive_media", "withheld_in": ["TR"], "birthdate": {"month": 12, "day": 10},
    }  # fmt: skip


def test_about_an_account_is_what_twscrape_makes_of_it() -> None:
    about = {"account_based_in": "United Kingdom", "location_accurate": True, "created_country_accurate": True,
             "affiliate_username": "as", "source": "United Kingdom App Store",
             "username_changes": {"count": "2", "last_changed_at_msec": "1600000000000"}}  # fmt: skip
    user = USER | {"about_profile": about, "verification_info": {"reason": {"verified_since_msec": "1395425700472"}}}
    payload = {"data": {"user_result_by_screen_name": {"result": user}}}
    (author,) = parse_payload(payload, ()).authors
    known = parse_about(payload)
    assert known is not None
    told = author.extra["about"]
    assert (told["based_in"], told["location_accurate"], told["affiliate_username"], told["source"]) == (
        known.account_based_in, known.location_accurate, known.affiliate_username, known.source,
    )  # fmt: skip
    assert (told["username_changes"], told["username_last_changed_ms"]) == (
        known.username_changes, known.username_last_changed_at,
    )  # fmt: skip
    assert author.extra["verified_since_ms"] == known.verified_since_msec
    assert (author.id, author.username, author.name) == (str(known.rest_id), known.screen_name, known.name)


CREATOR = {"__typename": "User", "id": "VXNlcjo3", "core": {"screen_name": "ada", "name": "Ada"}}
COMMUNITY = {
    "__typename": "Community", "rest_id": "150", "name": "Engines", "description": "All about engines",
    "member_count": 10, "moderator_count": 2, "is_nsfw": False, "created_at": 1_650_000_000_000,
    "join_policy": "Open", "invites_policy": "MemberInvitesAllowed", "search_tags": ["engines"],
    "rules": [{"rest_id": "1", "name": "Be kind", "description": "Always"}, {"rest_id": "2", "name": "No steam"}],
    "primary_community_topic": {"topic_id": "t1", "topic_name": "Machines"}, "creator_results": {"result": CREATOR},
    "custom_banner_media": {"media_info": {"original_img_url": "https://pbs.twimg.com/banner.jpg"}},
}  # fmt: skip


def test_a_community_is_an_item_with_all_that_twscrape_knows_of_it() -> None:
    payload = {"data": {"communityResults": {"result": COMMUNITY}}}
    parsed = parse_payload(payload, ["x:community:150"])
    assert parsed.rejected == []
    (item,) = parsed.items
    known = parse_community(payload)
    assert known is not None
    assert (item.key, item.kind, item.role, item.text) == ("x:community:150", "community", "match", known.name)
    assert (item.metrics.members, item.metrics.moderators) == (known.memberCount, known.moderatorCount)
    assert item.extra["description"] == known.description
    assert (item.extra["topic_id"], item.extra["topic"], item.extra["nsfw"]) == (
        known.topicId,
        known.topicName,
        known.isNsfw,
    )
    rules = [(rule["id"], rule["name"], rule.get("description", "")) for rule in item.extra["rules"]]
    assert rules == [(rule.id_str, rule.name, rule.description) for rule in known.rules]
    assert item.author_id == "7"
    assert (item.author_username, item.created_at) == ("ada", datetime(2022, 4, 15, 5, 20, tzinfo=UTC))
    assert item.extra["banner_url"] == "https://pbs.twimg.com/banner.jpg"


def test_a_community_of_a_post_is_told_on_the_post_and_an_item_of_its_own() -> None:
    parsed = parse_payload({"result": post(community_results={"result": COMMUNITY})}, ())
    posts = {item.key: item for item in parsed.items}
    assert posts["x:11"].extra["community"] == {"id": "150", "name": "Engines"}
    assert posts["x:community:150"].role == "context"


def test_a_list_is_an_item() -> None:
    record = {"id_str": "42", "name": "Engineers", "description": "Who builds", "member_count": 3, "mode": "Public",
              "subscriber_count": 1, "created_at": 1_650_000_000_000, "user_results": {"result": USER}}  # fmt: skip
    (item,) = parse_payload({"itemContent": {"__typename": "TimelineTwitterList", "list": record}}, ()).items
    assert (item.key, item.kind, item.text, item.url) == ("x:list:42", "list", "Engineers", "https://x.com/i/lists/42")
    assert (item.metrics.members, item.metrics.subscribers, item.author_id) == (3, 1, "7")
    assert item.extra == {"mode": "Public", "description": "Who builds"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"full_text": 5}, "the post has no text: it is of type number"),
        ({"full_text": {"a": 1}}, "the post has no text: it is of type object"),
        ({"full_text": None}, "the post has no text"),
    ],
)
def test_a_post_that_cannot_be_used_is_rejected_alone_with_its_outline(change: Any, reason: str) -> None:
    payload = {"results": [post("11", legacy=change), post("12")]}
    parsed = parse_payload(payload, ())
    assert [item.native_id for item in parsed.items] == ["12"]
    (one,) = parsed.rejected
    assert (one.path, one.reason, one.native_id) == ("results[0]", reason, "11")
    assert '"user_id_str":"text"' in one.shape
    assert "Hello" not in one.shape
    assert one.raw


def test_the_outline_of_a_huge_record_stays_short() -> None:
    wide = {f"field{number}": {"a": [{"b": {"c": number}}]} for number in range(5000)}
    (one,) = parse_payload([post("11", legacy={"full_text": None, **wide})], ()).rejected
    assert 0 < len(one.shape) <= 2000
