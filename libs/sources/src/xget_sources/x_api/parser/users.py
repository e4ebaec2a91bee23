"""Users of API v2 as authors."""

from __future__ import annotations

from typing import Final

from xget_contracts.items import Author, Link, Metrics
from xget_sources.x.parser.entities import links_of
from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, as_time, dig

_VERIFIED: Final = {"business": "Business", "government": "Government"}
"""As the session route spells them; `blue` is a flag of its own there."""


def parse_user(record: Json) -> Author | None:
    """The author, or None without a usable id or name.

    `verified` stays unsaid, as the API's word means any mark and the session route's the old one; so does `blue` of
    businesses, who may have both marks.
    """
    native_id, username = as_id(record.get("id")), as_text(record.get("username"))
    if native_id is None or username is None:
        return None
    counts, kind = as_dict(record.get("public_metrics")), as_text(record.get("verified_type"))
    pinned = as_id(record.get("pinned_tweet_id"))
    return Author(
        key=f"x:{native_id}",
        platform="x",
        id=native_id,
        username=username,
        name=as_text(record.get("name")) or "",
        description=as_text(record.get("description")) or "",
        url=f"https://x.com/{username}",
        created_at=as_time(record.get("created_at")),
        location=as_text(record.get("location")),
        avatar_url=as_text(record.get("profile_image_url")),
        banner_url=as_text(record.get("profile_banner_url")),
        blue={"blue": True, "none": False}.get(kind or ""),
        verified_type=_VERIFIED.get(kind or ""),
        protected=as_bool(record.get("protected")),
        links=_links(record),
        pinned_ids=[pinned] if pinned else [],
        metrics=Metrics(
            followers=as_count(counts.get("followers_count")),
            following=as_count(counts.get("following_count")),
            posts=as_count(counts.get("tweet_count")),
            listed=as_count(counts.get("listed_count")),
            favourites=as_count(counts.get("like_count")),
            media=as_count(counts.get("media_count")),
        ),
        extra=_extra(record),
    )


def _links(record: Json) -> list[Link]:
    entities = as_dict(record.get("entities"))
    bio, site = dig(entities, "description", "urls"), dig(entities, "url", "urls")
    links = links_of(bio) if bio else []
    if site and (expanded := links_of(site)):
        return links + expanded
    plain = as_text(record.get("url"))
    return [*links, Link(url=plain)] if plain else links


def _extra(record: Json) -> dict[str, object]:
    countries = as_list(dig(record, "withheld", "country_codes"))
    return {"withheld_in": [code for code in countries if type(code) is str]} if countries else {}
