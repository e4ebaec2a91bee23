"""What twscrape's own parser makes of communities and of "About this account", to hold ours against."""

from __future__ import annotations

from typing import Any

from twscrape.models import AccountAbout, Community

from xget_contracts.items import Author, Item


def community_differences(community: Community, item: Item) -> list[str]:
    """Fields of a community in which our item says something else."""
    rules = [(rule["id"], rule["name"], rule.get("description", "")) for rule in item.extra.get("rules", [])]
    pairs: list[tuple[str, Any, Any]] = [
        ("id", community.id_str, item.native_id),
        ("name", community.name, item.text),
        ("description", community.description, item.extra.get("description")),
        ("members", community.memberCount, item.metrics.members),
        ("moderators", community.moderatorCount, item.metrics.moderators),
        ("topic", (community.topicId, community.topicName), (item.extra.get("topic_id"), item.extra.get("topic"))),
        ("nsfw", community.isNsfw, item.extra.get("nsfw")),
        ("rules", [(rule.id_str, rule.name, rule.description) for rule in community.rules], rules),
    ]
    return [f"{community.id_str} {name}: {a!r} != {b!r}" for name, a, b in pairs if a != b]


def about_differences(about: AccountAbout, author: Author) -> list[str]:
    """Fields of "About this account" in which our author says something else."""
    told = author.extra.get("about", {})
    pairs: list[tuple[str, Any, Any]] = [
        ("id", str(about.rest_id), author.id),
        ("username", about.screen_name, author.username),
        ("name", about.name, author.name),
        ("based in", about.account_based_in, told.get("based_in")),
        ("accurate", about.location_accurate, told.get("location_accurate")),
        ("affiliate", about.affiliate_username, told.get("affiliate_username")),
        ("source", about.source, told.get("source")),
        ("changes", about.username_changes, told.get("username_changes")),
        ("last change", about.username_last_changed_at, told.get("username_last_changed_ms")),
        ("identity", about.is_identity_verified, told.get("identity_verified")),
        ("verified since", about.verified_since_msec, author.extra.get("verified_since_ms")),
    ]
    return [f"{about.screen_name} {name}: {a!r} != {b!r}" for name, a, b in pairs if a != b]
