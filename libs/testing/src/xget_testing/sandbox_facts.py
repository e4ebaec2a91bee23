"""What the sandbox says of a post, user or community, against what is stored of it, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
Pair = tuple[str, Any, Any]
COUNTS = ("likes", "reposts", "replies", "quotes", "bookmarks", "views")


def post_differences(item: Json, facts: Json) -> list[str]:
    """Values of a stored post that are not those of the truth's `full=1`."""
    pairs: list[Pair] = [
        ("text", item["raw_text"], facts["text"]),
        ("author", (item["author_id"], item["author_username"]), (facts["author_id"], facts["author"])),
        ("lang", item["lang"], facts["lang"]),
        ("created_at", item["created_at"], facts["created_at"]),
        ("conversation", item["conversation_id"], facts["conversation_id"]),
        ("reply to", item["in_reply_to_id"], facts["reply_to"]),
        ("quoted", item["quoted_id"], facts["quoted"]),
        ("reposted", item["reposted_id"], facts["reposted"]),
        ("hashtags", item["hashtags"], facts["hashtags"]),
        ("mentions", [one["username"] for one in item["mentions"]], facts["mentions"]),
        ("links", [one["url"] for one in item["links"]], facts["links"]),
        ("media", [one["type"] for one in item["media"]], facts["media"]),
        *((name, item["metrics"].get(name), facts[name]) for name in COUNTS),
        *_further(item, facts),
    ]
    return _unequal(item, pairs)


def _further(item: Json, facts: Json) -> Iterator[Pair]:
    """What only some posts have."""
    extra, card, place = item["extra"], item["card"] or {}, item["place"] or {}
    if poll := facts.get("poll"):
        yield "options", [[one["label"], one["votes"]] for one in card["options"]], poll["options"]
        yield "final", card["finished"], poll["final"]
    yield "versions", extra.get("edit", {}).get("ids", [])[:-1], facts.get("versions", [])
    if "alt_text" in facts:
        yield "alt texts", {one["alt_text"] for one in item["media"]}, {facts["alt_text"]}
    if item["reposted_id"]:
        return  # of what it repeats
    yield "place", place.get("full_name"), facts.get("place")
    point = item["coordinates"] and [item["coordinates"]["longitude"], item["coordinates"]["latitude"]]
    yield "coordinates", point, facts.get("coordinates")
    yield "note", extra.get("community_note"), facts.get("note")
    yield "article", extra.get("article", {}).get("title"), facts.get("article")
    yield "withheld", extra.get("withheld_in", []), facts.get("withheld_in", [])
    yield "limited", bool(extra.get("limited_actions")), facts.get("limited", False)
    if "card" in facts:
        yield "card", card.get("type", "").removesuffix("_card"), facts["card"]
    if "community" in facts:
        yield "community", extra["community"]["id"], facts["community"]


def user_differences(item: Json, facts: Json) -> list[str]:
    """Values of a stored user that are not the truth's; what the platform did not say is None and no difference."""
    counts = item["metrics"]
    pairs: list[Pair] = [
        ("username", item["author_username"], facts["username"]),
        ("name", item["author_name"], facts["name"]),
        ("description", item["raw_text"] or None, facts["description"] or None),
        ("created_at", item["created_at"], facts["created_at"]),
        *((name, counts.get(name), facts[name]) for name in ("followers", "following", "posts")),
    ]
    return _unequal(item, [pair for pair in pairs if pair[1] is not None])


def community_differences(item: Json, facts: Json) -> list[str]:
    """Values of a stored community that are not the truth's."""
    extra = item["extra"]
    created = datetime.fromisoformat(item["created_at"]).replace(microsecond=0)
    pairs: list[Pair] = [
        ("name", item["text"], facts["name"]),
        ("description", extra["description"], facts["description"]),
        ("topic", extra["topic"], facts["topic"]),
        ("created_at", created, datetime.fromisoformat(facts["created_at"])),
        ("members", item["metrics"]["members"], facts["members"]),
        ("moderators", item["metrics"]["moderators"], facts["moderators"]),
        ("rules", [rule["name"] for rule in extra["rules"]], facts["rules"]),
    ]
    return _unequal(item, pairs)


def _unequal(item: Json, pairs: list[Pair]) -> list[str]:
    return [f"{item['key']} {name}: {mine!r} is not {theirs!r}" for name, mine, theirs in pairs if mine != theirs]
