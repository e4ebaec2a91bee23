"""Users of the world as API v2 answers them."""

from __future__ import annotations

from typing import Any

from xget_sandbox.api_v2.rendering import stamp
from xget_sandbox.wire.users import render_user
from xget_sandbox.world import World
from xget_sandbox.world.model import Author

Json = dict[str, Any]


def render(world: World, author: Author) -> Json:
    """A user with all its fields, from what the web's wire says of them."""
    web = render_user(world, author)
    found: Json = {
        "id": str(author.id),
        "name": author.name,
        "username": author.handle,
        "created_at": stamp(author.created_ms),
        "description": author.bio,
        "location": author.location,
        "profile_image_url": web["avatar"]["image_url"],
        "profile_banner_url": web["banner"]["image_url"],
        "protected": author.standing == "protected",
        "public_metrics": {
            "followers_count": len(world.followers[author.id]),
            "following_count": len(world.following[author.id]),
            "tweet_count": len(world.by_author[author.id]),
            "listed_count": 0,
            "like_count": author.favourites,
            "media_count": web["tweet_counts"]["media_tweets"],
        },
        "verified": author.blue or author.business,
        "verified_type": "business" if author.business else "blue" if author.blue else "none",
    }
    if not author.location:
        del found["location"]
    links = web["profile_bio"]["entities"].get("url", {}).get("urls", [])
    if links:
        found["url"] = web["website"]["url"]
        found["entities"] = {"url": {"urls": [_link(link) for link in links]}}
    pinned = world.pinned(author.id)
    return found | ({"pinned_tweet_id": str(pinned.id)} if pinned else {})


def _link(entity: Json) -> Json:
    start, end = entity["indices"]
    return {"start": start, "end": end} | {name: entity[name] for name in ("url", "expanded_url", "display_url")}
