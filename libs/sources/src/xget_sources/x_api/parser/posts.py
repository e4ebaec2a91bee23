"""Posts of API v2 as items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from xget_contracts.items import (
    Author,
    Item,
    Link,
    Metrics,
    UserRef,
)
from xget_sources.x.parser.posts import Unusable
from xget_sources.x.parser.values import (
    Json,
    as_bool,
    as_count,
    as_dict,
    as_id,
    as_list,
    as_text,
    as_time,
    dig,
    snowflake_time,
)
from xget_sources.x_api.parser.attachments import Included, coordinates_of, keys_of, media_of, place_of, poll_of

__all__ = ["PostReader", "Unusable"]
_POLICIES: Final = {"mentionedUsers": "ByInvitation", "following": "Community", "verified": "Verified"}
"""Who may answer, in the session route's words."""


class PostReader:
    """Reads the posts of one answer, which refer to each other and to what is included."""

    def __init__(self, posts: Mapping[str, Json], users: Mapping[str, Author], included: Included) -> None:
        self._posts = posts
        self._users = users
        self._included = included

    def read(self, native_id: str, record: Json) -> Item:
        """One post; raises Unusable without author or text."""
        get = record.get
        author_id = as_id(get("author_id"))
        if author_id is None:
            raise Unusable("the post names no author")
        author = self._users.get(author_id)
        username = author.username if author else None
        related = _related(record)
        text = self._text(record, related.get("retweeted"))
        entities, note = as_dict(get("entities")), as_dict(dig(record, "note_tweet", "entities"))
        media = [found for key in keys_of(record, "media_keys") if (found := media_of(self._included, key))]
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
            conversation_id=as_id(get("conversation_id")) or native_id,
            in_reply_to_id=related.get("replied_to"),
            in_reply_to_user=self._user(as_id(get("in_reply_to_user_id")), None),
            quoted_id=related.get("quoted"),
            reposted_id=related.get("retweeted"),
            mentions=self._mentions(entities, note),
            hashtags=_both("hashtags", entities, note, _tag),
            cashtags=_both("cashtags", entities, note, _tag),
            links=_both("urls", entities, note, _link),
            media=media,
            card=poll_of(self._included, record),
            place=place_of(self._included, as_text(dig(record, "geo", "place_id"))),
            coordinates=coordinates_of(dig(record, "geo", "coordinates", "coordinates")),
            sensitive=as_bool(get("possibly_sensitive")) if media or entities.get("urls") else None,
            metrics=_metrics(record),
            extra=_extra(record, related),
        )

    def _text(self, record: Json, reposted: str | None) -> str:
        """The whole text: a long post's note; a repost's completed from the original, as X cuts it with an …"""
        text = dig(record, "note_tweet", "text")
        if type(text) is not str:
            text = record.get("text")
        if type(text) is not str:
            raise Unusable("the post has no text")
        original = self._posts.get(reposted) if reposted and text.endswith("…") else None
        if original is None:
            return text
        author = self._users.get(as_id(original.get("author_id")) or "")
        return f"RT @{author.username}: {self._text(original, None)}" if author else text

    def _user(self, native_id: str | None, username: str | None) -> UserRef | None:
        if native_id is None:
            return None
        known = self._users.get(native_id)
        return UserRef(id=native_id, username=known.username if known else username, name=known.name if known else None)

    def _mentions(self, entities: Json, note: Json) -> list[UserRef]:
        found: list[UserRef] = []
        for entry in [*as_list(entities.get("mentions")), *as_list(note.get("mentions"))]:
            user = self._user(as_id(as_dict(entry).get("id")), as_text(as_dict(entry).get("username")))
            if user is not None and user not in found:
                found.append(user)
        return found


def _related(record: Json) -> dict[str, str]:
    """Ids of the posts that it answers, quotes or repeats, by X's word for it."""
    rows = [as_dict(row) for row in as_list(record.get("referenced_tweets"))]
    pairs = [(as_text(row.get("type")), as_id(row.get("id"))) for row in rows]
    return {kind: native_id for kind, native_id in pairs if kind and native_id}


def _metrics(record: Json) -> Metrics:
    counts = as_dict(record.get("public_metrics"))
    return Metrics(
        replies=as_count(counts.get("reply_count")),
        reposts=as_count(counts.get("retweet_count")),
        likes=as_count(counts.get("like_count")),
        quotes=as_count(counts.get("quote_count")),
        bookmarks=as_count(counts.get("bookmark_count")),
        views=as_count(counts.get("impression_count")),
    )


def _both(name: str, entities: Json, note: Json, read: Any) -> list[Any]:
    """What the text lists, then what only the long text lists."""
    found: list[Any] = []
    for entry in [*as_list(entities.get(name)), *as_list(note.get(name))]:
        one = read(as_dict(entry))
        if one is not None and (one not in found or entry in as_list(entities.get(name))):
            found.append(one)
    return found


def _tag(entry: Json) -> str | None:
    return as_text(entry.get("tag"))


def _link(entry: Json) -> Link | None:
    """A link of the text; those to its own media are none."""
    url, short = as_text(entry.get("expanded_url")), as_text(entry.get("url"))
    if url is None or short is None or "media_key" in entry:
        return None
    return Link(url=url, short=short, display=as_text(entry.get("display_url")))


def _extra(record: Json, related: Mapping[str, str]) -> dict[str, Any]:
    """Further facts by the names of the session route; absent ones are left out."""
    extra: dict[str, Any] = {}
    if "quoted" in related:
        extra["is_quote"] = True
    if as_dict(record.get("note_tweet")):
        extra["long"] = True
    versions = [native_id for value in as_list(record.get("edit_history_tweet_ids")) if (native_id := as_id(value))]
    controls = as_dict(record.get("edit_controls"))
    if versions:
        edit: dict[str, Any] = {"ids": versions}
        if (left := as_count(controls.get("edits_remaining"))) is not None:
            edit["remaining"] = left
        if (eligible := as_bool(controls.get("is_edit_eligible"))) is not None:
            edit["eligible"] = eligible
        extra["edit"] = edit
    countries = [code for code in as_list(dig(record, "withheld", "country_codes")) if type(code) is str]
    if countries:
        extra["withheld_in"] = countries
    if dig(record, "withheld", "copyright") is True:
        extra["withheld_copyright"] = True
    if community := as_id(record.get("community_id")):
        extra["community"] = {"id": community}
    policy = as_text(record.get("reply_settings"))
    return extra | ({"reply_policy": _POLICIES.get(policy, policy)} if policy and policy != "everyone" else {})
