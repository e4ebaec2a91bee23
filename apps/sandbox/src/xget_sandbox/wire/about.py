"""What "About this account" tells."""

from __future__ import annotations

import base64
from random import Random
from typing import Any

from xget_sandbox.wire.users import render_user
from xget_sandbox.world import World
from xget_sandbox.world.ids import NOW_MS
from xget_sandbox.world.model import Author

Json = dict[str, Any]
COUNTRIES = ("United States", "Japan", "Brazil", "Kenya", "Germany", "East Asia & Pacific")
STORES = ("Web", "United States App Store", "Japan Android App")
SHOWN = (
    "__typename", "affiliates_highlighted_label", "avatar", "core", "id", "is_blue_verified", "privacy",
    "profile_image_shape", "rest_id", "verification",
)  # fmt: skip


def about_facts(world: World, author: Author) -> Json:
    """The facts, in X's words."""
    rng = Random(f"{world.seed}:about:{author.id}")
    changes = rng.choice((0, 0, 1, 3))
    facts: Json = {
        "account_based_in": rng.choice(COUNTRIES),
        "created_country_accurate": rng.random() < 0.9,
        "learn_more_url": "https://help.twitter.com/managing-your-account/about-twitter-verified-accounts",
        "location_accurate": rng.random() < 0.8,
        "source": rng.choice(STORES),
        "username_changes": {"count": str(changes)},
    }
    if changes:
        changed = author.created_ms + int((NOW_MS - author.created_ms) * rng.random())
        facts["username_changes"]["last_changed_at_msec"] = str(changed)
    if author.business:
        facts["affiliate_username"] = author.handle
    return facts


def about_user(world: World, author: Author) -> Json:
    """The object under `user_result_by_screen_name`."""
    user = render_user(world, author)
    info: Json = {"id": _key("UserVerificationInfo", author), "is_identity_verified": False}
    if author.blue:
        info["reason"] = {"verified_since_msec": str(author.created_ms)}
    result = {name: user[name] for name in SHOWN} | {
        "about_profile": about_facts(world, author),
        "identity_profile_labels_highlighted_label": {},
        "verification_info": info,
    }
    return {"id": _key("UserResults", author), "result": result}


def _key(kind: str, author: Author) -> str:
    return base64.b64encode(f"{kind}:{author.id}".encode()).decode()
