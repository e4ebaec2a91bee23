"""X's user results, old (`legacy`) and new (`core`, `avatar`, `location`, `verification`…), as authors."""

from __future__ import annotations

from typing import Any

from xget_contracts.items import Author, Item, Link, Metrics
from xget_sources.x.parser.entities import links_of
from xget_sources.x.parser.profiles import author_extra
from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, as_time

PLATFORM = "x"


def user_id(record: Json) -> str | None:
    """The platform's id of a user result, or None."""
    native_id = as_id(record.get("rest_id")) or as_id(record.get("id_str"))
    return native_id or as_id(as_dict(record.get("legacy")).get("id_str"))


def screen_name(record: Json) -> str | None:
    """The name after the @, or None."""
    legacy, core = record.get("legacy"), record.get("core")
    name = as_text(legacy.get("screen_name")) if type(legacy) is dict else None
    if name is None and type(core) is dict:
        name = as_text(core.get("screen_name"))
    return name or as_text(record.get("screen_name"))


def is_profile(record: Json) -> bool:
    """True for a user result that describes someone, False for a bare reference or a timeline's wrapper."""
    return bool(as_dict(record.get("core")) or as_dict(record.get("legacy")) or record.get("screen_name"))


def parse_user(record: Json) -> Author | None:
    """The author that a user result describes, or None without a usable id or name."""
    get = record.get
    native_id, username = user_id(record), screen_name(record)
    if native_id is None or username is None:
        return None
    legacy, core = as_dict(get("legacy")), as_dict(get("core"))
    verification, bio = as_dict(get("verification")), as_dict(get("profile_bio"))
    flat = {**legacy, **record} if legacy else record
    entities = as_dict(bio.get("entities")) or as_dict(flat.get("entities"))
    verified, protected = flat.get("verified"), flat.get("protected")
    return Author(
        key=f"{PLATFORM}:{native_id}",
        platform=PLATFORM,
        id=native_id,
        username=username,
        name=as_text(legacy.get("name")) or as_text(core.get("name")) or as_text(get("name")) or "",
        description=as_text(flat.get("description")) or as_text(bio.get("description")) or "",
        url=f"https://x.com/{username}",
        created_at=as_time(legacy.get("created_at") or core.get("created_at") or get("created_at")),
        location=_location(get("location"), legacy),
        avatar_url=as_text(flat.get("profile_image_url_https")) or as_text(as_dict(get("avatar")).get("image_url")),
        banner_url=as_text(as_dict(get("banner")).get("image_url")) or as_text(flat.get("profile_banner_url")),
        verified=verified if type(verified) is bool else as_bool(verification.get("verified")),
        blue=as_bool(flat.get("is_blue_verified")),
        verified_type=as_text(flat.get("verified_type")) or as_text(verification.get("verified_type")),
        protected=protected if type(protected) is bool else as_bool(as_dict(get("privacy")).get("protected")),
        links=_links(entities, as_text(flat.get("url")) or as_text(as_dict(get("website")).get("url"))),
        pinned_ids=_pinned(record, flat),
        metrics=_metrics(record, flat),
        extra=author_extra(record, flat),
    )


def user_item(author: Author) -> Item:
    """The author as an answer of a task that asks for users."""
    return Item(
        key=f"{PLATFORM}:user:{author.id}",
        platform=PLATFORM,
        native_id=author.id,
        kind="user",
        role="match",
        url=author.url,
        text=author.description,
        raw_text=author.description,
        created_at=author.created_at,
        author_key=author.key,
        author_id=author.id,
        author_username=author.username,
        author_name=author.name,
        links=author.links,
        metrics=author.metrics,
    )


def _links(entities: Json, website: str | None) -> list[Link]:
    """Links of the description, then the website; as it stands when X does not expand it."""
    bio, site = as_dict(entities.get("description")).get("urls"), as_dict(entities.get("url")).get("urls")
    links = links_of(bio) if bio else []
    if expanded := links_of(site) if site else []:
        return links + expanded
    return [*links, Link(url=website)] if website else links


def _location(place: Any, legacy: Json) -> str | None:
    if type(place) is dict:
        place = place.get("location")
    return as_text(place) or as_text(legacy.get("location"))


def _pinned(record: Json, flat: Json) -> list[str]:
    ids = as_list(as_dict(record.get("pinned_items")).get("tweet_ids_str")) or as_list(flat.get("pinned_tweet_ids_str"))
    return [native_id for value in ids if (native_id := as_id(value))]


def _metrics(record: Json, flat: Json) -> Metrics:
    get = flat.get
    relations, posts = as_dict(record.get("relationship_counts")), as_dict(record.get("tweet_counts"))
    actions = as_dict(record.get("action_counts"))
    return Metrics(
        followers=_count(relations.get("followers"), get("followers_count")),
        following=_count(relations.get("following"), get("friends_count")),
        posts=_count(posts.get("tweets"), get("statuses_count")),
        media=_count(posts.get("media_tweets"), get("media_count")),
        listed=as_count(get("listed_count")),
        favourites=_count(actions.get("favorites_count"), get("favourites_count")),
    )


def _count(new: Any, old: Any) -> int | None:
    number = as_count(new)
    return as_count(old) if number is None else number
