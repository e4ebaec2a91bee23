"""X's post results as items."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

from xget_contracts.items import Author, Item, Metrics, UserRef
from xget_sources.x.parser.cards import parse_card
from xget_sources.x.parser.entities import links_of, mentions_of, tags_of
from xget_sources.x.parser.extras import post_extra, wrapped_extra
from xget_sources.x.parser.media import parse_media, unknown_media
from xget_sources.x.parser.outlines import type_name
from xget_sources.x.parser.places import coordinates_of, place_of
from xget_sources.x.parser.users import parse_user
from xget_sources.x.parser.values import (
    Json,
    as_bool,
    as_count,
    as_dict,
    as_id,
    as_text,
    as_time,
    dig,
    snowflake_time,
)
from xget_sources.x.parser.walk import post_id

_T = TypeVar("_T")
_NOTHING: Final[Json] = {}
_NO_TEXT: Final = "the post has no text"
_NO_SOURCE: Final = (None, None)
_SOURCE_URL = re.compile(r"href=['\"]?([^'\" >]+)")
_SOURCE_LABEL = re.compile(r">([^<]*)<")


class Unusable(Exception):
    """The record has no usable author or text."""


class PostParser:
    """Parses the posts of one page, which refer to each other and to the page's users."""

    def __init__(self, posts: Mapping[str, Json], users: Mapping[str, Author], wrappers: Mapping[int, Json]) -> None:
        self._posts = posts
        self._users = users
        self._wrappers = wrappers

    def parse(self, native_id: str, record: Json) -> Item:
        """Turn one post result into an item; raises Unusable without author or text."""
        flat = {**as_dict(record.get("legacy")), **record}
        get = flat.get
        media = as_dict(get("extended_entities")).get("media") or as_dict(get("entities")).get("media")
        source = _source(app) if type(app := get("source")) is str else _NO_SOURCE
        author, author_id = self._author(flat)
        reposted = _related(flat, "retweeted_status_result", "retweeted_status_id_str")
        username = author.username if author else None
        note = as_dict(dig(flat, "note_tweet", "note_tweet_results", "result")) if "note_tweet" in flat else _NOTHING
        text = self._text(flat, note, reposted)
        entities, of_note = as_dict(get("entities")), as_dict(note.get("entity_set"))
        return Item(
            key=f"x:{native_id}",
            platform="x",
            native_id=native_id,
            url=f"https://x.com/{username or 'i'}/status/{native_id}",
            text=text,
            raw_text=text,
            lang=as_text(get("lang")),
            created_at=as_time(get("created_at")) or snowflake_time(native_id),
            author_key=f"x:{author_id}",
            author_id=author_id,
            author_username=username,
            author_name=author.name if author else None,
            conversation_id=as_id(get("conversation_id_str")) or native_id,
            in_reply_to_id=as_id(get("in_reply_to_status_id_str")),
            in_reply_to_user=self._answered(flat, entities),
            quoted_id=_related(flat, "quoted_status_result", "quoted_status_id_str")
            or (_related(flat, "quotedRefResult", "") if "quotedRefResult" in flat else None),
            reposted_id=reposted,
            mentions=_both(mentions_of, "user_mentions", entities, of_note),
            hashtags=_both(tags_of, "hashtags", entities, of_note),
            cashtags=_both(tags_of, "symbols", entities, of_note),
            links=_both(links_of, "urls", entities, of_note),
            media=parse_media(media) if media else [],
            card=parse_card(card) if (card := get("card")) is not None else None,
            place=place_of(place) if (place := get("place")) is not None else None,
            coordinates=coordinates_of(flat) if "coordinates" in flat or "geo" in flat else None,
            source_app=source[0],
            source_url=source[1],
            sensitive=as_bool(get("possibly_sensitive")),
            metrics=self._metrics(flat, reposted),
            extra=self._extra(record, flat, note, media),
        )

    def _extra(self, record: Json, flat: Json, note: Json, media: Any) -> dict[str, Any]:
        extra = post_extra(flat, note)
        if media and (unknown := unknown_media(media)):
            extra["other_media"] = unknown
        if self._wrappers and (wrapper := self._wrappers.get(id(record))):
            extra |= wrapped_extra(wrapper)
        return extra

    def _author(self, flat: Json) -> tuple[Author | None, str]:
        native_id = as_id(flat.get("user_id_str"))
        if native_id is not None and (known := self._users.get(native_id)):
            return known, native_id
        for holder in ("user_results", "user_result"):
            embedded = as_dict(dig(flat, "core", holder, "result")) or as_dict(dig(flat, "author_results", "result"))
            author = parse_user(embedded)
            if author and native_id in (None, author.id):
                return self._users.get(author.id, author), author.id
            native_id = native_id or as_id(embedded.get("rest_id"))
        if native_id is None:
            raise Unusable("the post names no author")
        return None, native_id

    def _text(self, flat: Json, note: Json, reposted: str | None) -> str:
        """The whole text: a long post's note; a repost's text completed from the original, as X cuts it with an …"""
        text = note.get("text")
        if type(text) is not str:
            text = flat["full_text"] if "full_text" in flat else flat.get("text")
        if type(text) is not str:
            raise Unusable(f"the post has no text: it is of type {type_name(text)}" if text is not None else _NO_TEXT)
        if reposted is None or not text.endswith("…"):
            return text
        return self._restored(reposted) or text

    def _restored(self, reposted: str) -> str | None:
        original = self._posts.get(reposted)
        if original is None:
            return None
        flat = {**as_dict(original.get("legacy")), **original}
        note = as_dict(dig(flat, "note_tweet", "note_tweet_results", "result"))
        try:
            author, _ = self._author(flat)
            text = self._text(flat, note, None)
        except Unusable:
            return None
        return f"RT @{author.username}: {text}" if author else None

    def _answered(self, flat: Json, entities: Json) -> UserRef | None:
        native_id = as_id(flat.get("in_reply_to_user_id_str"))
        if native_id is None:
            return None
        if known := self._users.get(native_id):
            return UserRef(id=native_id, username=known.username, name=known.name)
        for mention in mentions_of(entities.get("user_mentions")):
            if mention.id == native_id:
                return mention
        return UserRef(id=native_id, username=as_text(flat.get("in_reply_to_screen_name")))

    def _metrics(self, flat: Json, reposted: str | None) -> Metrics:
        views = _views(flat)
        if views is None and reposted is not None and (original := self._posts.get(reposted)):
            views = _views({**as_dict(original.get("legacy")), **original})
        return Metrics(
            replies=as_count(flat.get("reply_count")),
            reposts=as_count(flat.get("retweet_count")),
            likes=as_count(flat.get("favorite_count")),
            quotes=as_count(flat.get("quote_count")),
            bookmarks=as_count(flat.get("bookmark_count")),
            views=views,
        )


def _related(flat: Json, holder: str, id_field: str) -> str | None:
    """Id of a quoted or reposted post: named outright, or of the embedded one (perhaps in a visibility wrapper)."""
    if native_id := as_id(flat.get(id_field)):
        return native_id
    inner = as_dict(dig(flat, holder, "result"))
    return post_id(inner) or post_id(as_dict(inner.get("tweet"))) if inner else None


def _views(flat: Json) -> int | None:
    for holder in ("ext_views", "views"):
        if holder in flat and (views := as_count(dig(flat, holder, "count"))) is not None:
            return views
    return None


def _both(read: Callable[[Any], list[_T]], name: str, entities: Json, of_note: Json) -> list[_T]:
    """What the post lists, then what only its long text lists."""
    listed = entities.get(name)
    first = read(listed) if listed else []
    if of_note and (more := of_note.get(name)):
        return first + [entry for entry in read(more) if entry not in first]
    return first


@lru_cache(maxsize=256)
def _source(text: str) -> tuple[str | None, str | None]:
    """Name and address of the app: there are few of them."""
    label, url = _SOURCE_LABEL.search(text), _SOURCE_URL.search(text)
    return label.group(1) if label else None, url.group(1) if url else None
