"""A rich world's extras put into rendered posts."""

from __future__ import annotations

import base64
from typing import Any

from xget_sandbox.wire.cards import render_card
from xget_sandbox.wire.communities import belonging
from xget_sandbox.world import World
from xget_sandbox.world.extras import Extra
from xget_sandbox.world.model import Post

Json = dict[str, Any]
NOTE_HELP = "https://communitynotes.x.com/guide/under-the-hood/note-ranking"


def enrich(world: World, post: Post, extra: Extra, tweet: Json) -> Json:
    """The post with its extras; in X's wrapper where actions are limited."""
    legacy = tweet["legacy"]
    home = world.posted_in.get(post.id)
    if home is not None:
        tweet["community_results"] = belonging(world.communities[home])
    if extra.place:
        _placed(extra, legacy)
    if extra.note:
        tweet["has_birdwatch_notes"] = True
        tweet["birdwatch_pivot"] = _note(post, extra.note)
    if extra.card and "card" not in tweet:
        tweet["card"] = render_card(extra.card, post, world.authors[post.author_id])
    if extra.article:
        tweet["article"] = _article(post, extra.article)
    if extra.withheld_in:
        legacy |= {"withheld_in_countries": list(extra.withheld_in), "withheld_scope": "status"}
    for media in legacy.get("extended_entities", {}).get("media", []):
        if extra.alt_text:
            media["ext_alt_text"] = extra.alt_text
        if extra.adult:
            media["sensitive_media_warning"] = {"adult_content": True}
    return _limited(tweet) if extra.limited else tweet


def _placed(extra: Extra, legacy: Json) -> None:
    number, name, full_name, kind, country, code, west, south = extra.place or ("", "", "", "", "", "", 0.0, 0.0)
    east, north = round(west + 0.3, 2), round(south + 0.2, 2)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    legacy["place"] = {
        "bounding_box": {"coordinates": [ring], "type": "Polygon"},
        "country": country,
        "country_code": code,
        "full_name": full_name,
        "id": number,
        "name": name,
        "place_type": kind,
        "url": f"https://api.twitter.com/1.1/geo/id/{number}.json",
    }
    if extra.located:
        legacy["coordinates"] = {"coordinates": [west, south], "type": "Point"}
        legacy["geo"] = {"coordinates": [south, west], "type": "Point"}


def _note(post: Post, text: str) -> Json:
    number = str(post.id + 4_194_304)
    return {
        "callToAction": {
            "destinationUrl": f"https://twitter.com/i/birdwatch/n/{number}",
            "prompt": "Do you find this helpful?",
            "title": "Rate it",
        },
        "destinationUrl": f"https://twitter.com/i/birdwatch/n/{number}",
        "footer": {"entities": [], "text": "Context is written by people who use X, and appears when rated helpful."},
        "iconType": "BirdwatchV1Icon",
        "note": {"rest_id": number},
        "shorttitle": "Readers added context",
        "subtitle": {"entities": [], "text": text},
        "title": "Readers added context they thought people might want to know",
        "visualStyle": "Default",
    }


def _article(post: Post, title: str) -> Json:
    number = str(post.id - 8_388_608)
    blocks = [
        {"data": {}, "entityRanges": [], "inlineStyleRanges": [], "key": f"b{place}", "text": text, "type": kind}
        for place, (kind, text) in enumerate(
            (("header-two", title), ("unstyled", post.plain), ("unstyled", "More soon."))
        )
    ]
    result = {
        "content_state": {"blocks": blocks, "entityMap": []},
        "id": base64.b64encode(f"ArticleEntity:{number}".encode()).decode(),
        "lifecycle_state": {"modified_at_secs": post.created_ms // 1000},
        "metadata": {"first_published_at_secs": post.created_ms // 1000},
        "preview_text": post.plain[:120],
        "rest_id": number,
        "title": title,
    }
    return {"article_results": {"result": result}}


def _limited(tweet: Json) -> Json:
    """Who may not answer: X wraps the post, and the inner object has no type of its own."""
    tweet["legacy"] |= {"conversation_control": {"policy": "ByInvitation"}, "limited_actions": "limited_replies"}
    prompt = {
        "__typename": "CtaLimitedActionPrompt",
        "cta_type": "SeeConversation",
        "headline": {"entities": [], "text": "Who can reply?"},
        "subtext": {"entities": [], "text": "People the author mentioned can reply"},
    }
    inner = {name: value for name, value in tweet.items() if name != "__typename"}
    return {
        "__typename": "TweetWithVisibilityResults",
        "limitedActionResults": {"limited_actions": [{"action": "Reply", "prompt": prompt}]},
        "tweet": inner,
    }
