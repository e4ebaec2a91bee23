"""X's user results, old (`legacy`) and new (`core`, `avatar`, `location`, `verification`…), as authors."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from xget_contracts.items import Author, Item, Link, Metrics
from xget_sources.x.parser.entities import links_of
from xget_sources.x.parser.profiles import author_extra
from xget_sources.x.parser.values import Json, as_bool, as_count, as_dict, as_id, as_list, as_text, as_time

PLATFORM = "x"


def user_id(record: Json) -> str | None:
    """The platform's id of a user result, or None."""
    native_id = as_id(record.get("rest_id")) or as_id(record.get("id_str"))
    return native_id or as_id(as_dict(record.get("legacy")).get("id_str")) or _inside(record.get("id"))


def _inside(key: Any) -> str | None:
    """The id within GraphQL's own key, base64 of `User:7`: all that some results have."""
    try:
        kind, _, native_id = b64decode(key, validate=True).partition(b":") if type(key) is str else (b"", b"", b"")
    except ValueError:
        return None
    return as_id(native_id.decode("ascii", "replace")) if kind == b"User" else None


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
        extra=author_extra(flat),
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
    if site and (expanded := links_of(site)):
        return links + expanded
    return [*links, Link(url=website)] if website else links


def _location(place: Any, legacy: Json) -> str | None:
    if type(place) is dict:
        place = place.get("location")
    return as_text(place) or as_text(legacy.get("location"))


def _pinned(record: Json, flat: Json) -> list[str]:
    ids = as_dict(record.get("pinned_items")).get("tweet_ids_str") or flat.get("pinned_tweet_ids_str")
    return [native_id for value in as_list(ids) if (native_id := as_id(value))] if ids else []


def _metrics(record: Json, flat: Json) -> Metrics:
    get = flat.get
    relations, posts = as_dict(record.get("relationship_counts")), as_dict(record.get("tweet_counts"))
    liked = as_count(as_dict(record.get("action_counts")).get("favorites_count"))
    followers, following = as_count(relations.get("followers")), as_count(relations.get("following"))
    written, media = as_count(posts.get("tweets")), as_count(posts.get("media_tweets"))
    return Metrics(
        followers=as_count(get("followers_count")) if followers is None else followers,
        following=as_count(get("friends_count")) if following is None else following,
        posts=as_count(get("statuses_count")) if written is None else written,
        media=as_count(get("media_count")) if media is None else media,
        listed=as_count(get("listed_count")),
        favourites=as_count(get("favourites_count")) if liked is None else liked,
    )
