"""A user as X's GraphQL answers it since May 2026: no `legacy`, facts in sub-objects."""

from __future__ import annotations

import base64
from typing import Any

from xget_sandbox.world import World
from xget_sandbox.world.ids import x_time
from xget_sandbox.world.model import Author

Json = dict[str, Any]


def render_user(world: World, author: Author) -> Json:
    """The object under `user_results.result`; counts of followers, follows and posts are the world's own."""
    stamp = author.id % 1_000_000_007
    site = _site(author)
    pinned = world.pinned(author.id)
    user: Json = {
        "__typename": "User",
        "action_counts": {"favorites_count": author.favourites},
        "affiliates_highlighted_label": {},
        "avatar": {"image_url": f"https://pbs.twimg.com/profile_images/{stamp}/av{author.id % 9973}_normal.jpg"},
        "banner": {"image_url": f"https://pbs.twimg.com/profile_banners/{author.id}/{author.created_ms // 1000}"},
        "core": {"created_at": x_time(author.created_ms), "name": author.name, "screen_name": author.handle},
        "dm_permissions": {"can_dm": author.blue},
        "follow_request_sent": False,
        "has_graduated_access": True,
        "id": base64.b64encode(f"User:{author.id}".encode()).decode(),
        "is_blue_verified": author.blue,
        "location": {"location": author.location},
        "media_permissions": {"can_media_tag": True},
        "notifications_settings": {"notifications_enabled": False},
        "pinned_items": {"tweet_ids_str": [str(pinned.id)]} if pinned else {},
        "possibly_sensitive": False,
        "privacy": {"protected": author.standing == "protected"},
        "profile_bio": {"description": author.bio, "entities": {"description": {}, **_bio_links(author, site)}},
        "profile_description_language": author.language,
        "profile_image_shape": "Square" if author.business else "Circle",
        "profile_metadata": {"profile_interstitial_type": ""},
        "profile_translation": {"translator_type": "none"},
        "relationship_counts": {
            "followers": len(world.followers[author.id]),
            "following": len(world.following[author.id]),
        },
        "relationship_perspectives": _perspectives(),
        "rest_id": str(author.id),
        "super_follow_eligible": False,
        "super_followed_by": False,
        "super_following": False,
        "tipjar_settings": {},
        "tweet_counts": _tweet_counts(world, author),
        "verification": _verification(author),
    }
    if site:
        user["website"] = {"url": site}
    return user


def profile_user(world: World, author: Author) -> Json:
    """The object UserByScreenName and UserByRestId answer: the same user with the profile page's extras."""
    return render_user(world, author) | {
        "business_account": {},
        "creator_subscriptions_count": 0,
        "has_hidden_subscriptions_on_profile": False,
        "highlights_info": {"can_highlight_tweets": author.blue, "highlighted_tweets": "0"},
        "is_profile_translatable": False,
        "legacy_extended_profile": {},
        "profile_sort_enabled": True,
        "verification_info": {"reason": {"verified_since_msec": str(author.created_ms)}} if author.blue else {},
    }


def unavailable(reason: str) -> Json:
    """What stands where a suspended or deleted user would."""
    words = {"Suspended": "User is suspended"}.get(reason, "User is not available")
    return {"__typename": "UserUnavailable", "message": words, "reason": reason}


def _site(author: Author) -> str | None:
    return f"https://t.co/{base64.urlsafe_b64encode(str(author.id).encode()).decode()[:10]}" if author.website else None


def _bio_links(author: Author, site: str | None) -> Json:
    if site is None or author.website is None:
        return {}
    display = author.website.removeprefix("https://")
    url = {"display_url": display, "expanded_url": author.website, "indices": [0, 23], "url": site}
    return {"url": {"urls": [url]}}


def _perspectives() -> Json:
    return dict.fromkeys(("blocked_by", "blocking", "followed_by", "following", "live_following", "muting"), False)


def _tweet_counts(world: World, author: Author) -> Json:
    mine = world.by_author[author.id]
    return {"media_tweets": sum(1 for post in mine if post.media), "tweets": len(mine)}


def _verification(author: Author) -> Json:
    return {"verified": False, "verified_type": "Business"} if author.business else {"verified": False}
