"""Cards of rich worlds: audio spaces, broadcasts, players and unified cards."""

from __future__ import annotations

from typing import Any

import orjson

from xget_sandbox.wire.media import card, string
from xget_sandbox.world.model import Author, Post

Json = dict[str, Any]
LETTERS = "bcdfghjkmnpqrstvwxyzBCDFGHJKMNPQRSTVWXYZ"


def render_card(kind: str, post: Post, author: Author) -> Json:
    """The card of a kind; everything in it follows from the post."""
    made = {"audiospace": _audiospace, "broadcast": _broadcast, "player": _player, "unified": _unified}[kind]
    return made(post, author)


def short_name(number: int) -> str:
    """A name as X gives to spaces and broadcasts."""
    name = ""
    while len(name) < 12:
        number, digit = divmod(number * 7919 + 17, len(LETTERS))
        name += LETTERS[digit]
        number %= 10**12
    return f"1{name}"


def _image(key: str, url: str, width: int, height: int) -> Json:
    return {"key": key, "value": {"image_value": {"height": height, "url": url, "width": width}, "type": "IMAGE"}}


def _audiospace(post: Post, author: Author) -> Json:
    url = f"https://t.co/{short_name(post.id)[:10]}"
    values = [
        string("narrow_cast_space_type", "0"),
        string("id", short_name(post.id)),
        string("card_url", url, scribe=True),
    ]
    return card("3691233323:audiospace", url, values)


def _broadcast(post: Post, author: Author) -> Json:
    name, url = short_name(post.id), f"https://t.co/{short_name(post.id + 1)[:10]}"
    image = f"https://pbs.twimg.com/card_img/{post.id}/{name}?format=jpg&name="
    values = [
        string("broadcast_url", f"https://twitter.com/i/broadcasts/{name}"),
        string("broadcast_width", "1280"),
        string("broadcast_state", "ENDED"),
        string("broadcast_title", f"Live with {author.name}"),
        string("broadcast_source", "Producer"),
        string("broadcast_id", name),
        string("broadcaster_twitter_id", str(author.id)),
        string("broadcaster_username", author.handle),
        _image("broadcast_thumbnail_small", f"{image}386x202", 386, 202),
        _image("broadcast_thumbnail_original", f"{image}orig", 1280, 720),
        string("broadcast_media_key", f"28_{post.id}"),
        {"key": "broadcast_is_high_latency", "value": {"boolean_value": True, "type": "BOOLEAN"}},
        string("card_url", url, scribe=True),
    ]
    return card("745291183405076480:broadcast", url, values)


def _player(post: Post, author: Author) -> Json:
    url = f"https://t.co/{short_name(post.id)[:10]}"
    values = [
        string("player_url", f"https://video.example.org/embed/{post.id % 99991}"),
        string("player_width", "1280"),
        string("player_height", "720"),
        string("title", f"{author.name} explains it in three minutes"),
        string("description", "Watch the whole talk."),
        string("vanity_url", "video.example.org", scribe=True),
        _image(
            "player_image_large", f"https://pbs.twimg.com/card_img/{post.id}/player?format=jpg&name=800x419", 800, 419
        ),
        string("card_url", url, scribe=True),
    ]
    return card("player", url, values)


def _unified(post: Post, author: Author) -> Json:
    key = f"3_{post.id}"
    target = {"url": f"https://shop.example.com/{post.id % 9973}", "vanity": "shop.example.com"}
    described = {
        "type": "image_website",
        "component_objects": {
            "details_1": {
                "type": "details",
                "data": {
                    "title": {"content": f"Tools that {author.name} likes", "is_rtl": False},
                    "subtitle": {"content": target["vanity"], "is_rtl": False},
                    "destination": "browser_with_docked_media_1",
                },
            },
            "media_1": {"type": "media", "data": {"id": key, "destination": "browser_with_docked_media_1"}},
        },
        "destination_objects": {
            "browser_with_docked_media_1": {
                "type": "browser_with_docked_media", "data": {"url_data": target, "media_id": key},
            }
        },
        "components": ["media_1", "details_1"],
        "media_entities": {
            key: {
                "id_str": str(post.id),
                "media_url_https": f"https://pbs.twimg.com/media/{short_name(post.id)}.jpg",
                "type": "photo",
                "original_info": {"width": 800, "height": 418},
            }
        },
    }  # fmt: skip
    values = [string("unified_card", orjson.dumps(described).decode()), string("card_url", "https://twitter.com")]
    return card("unified_card", f"card://{post.id - 2}", values)
