"""Which fields an answer has, and which objects come along: `*.fields` and `expansions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from xget_sandbox.api_v2 import people
from xget_sandbox.api_v2.problems import invalid, not_found, not_yours
from xget_sandbox.api_v2.rendering import PostsV2
from xget_sandbox.world import World
from xget_sandbox.world.model import Post

Json = dict[str, Any]
TWEET_FIELDS = frozenset(
    {
        "article",
        "attachments",
        "author_id",
        "card_uri",
        "community_id",
        "context_annotations",
        "conversation_id",
        "created_at",
        "display_text_range",
        "edit_controls",
        "edit_history_tweet_ids",
        "entities",
        "geo",
        "id",
        "in_reply_to_user_id",
        "lang",
        "note_tweet",
        "possibly_sensitive",
        "public_metrics",
        "referenced_tweets",
        "reply_settings",
        "source",
        "text",
        "withheld",
    }
)
USER_FIELDS = frozenset(
    {
        "created_at",
        "description",
        "entities",
        "id",
        "location",
        "most_recent_tweet_id",
        "name",
        "pinned_tweet_id",
        "profile_banner_url",
        "profile_image_url",
        "protected",
        "public_metrics",
        "url",
        "username",
        "verified",
        "verified_type",
        "withheld",
    }
)
MEDIA_FIELDS = frozenset(
    {
        "alt_text",
        "duration_ms",
        "height",
        "media_key",
        "preview_image_url",
        "public_metrics",
        "type",
        "url",
        "variants",
        "width",
    }
)
POLL_FIELDS = frozenset({"duration_minutes", "end_datetime", "id", "options", "voting_status"})
PLACE_FIELDS = frozenset(
    {"contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type"}
)
EXPANSIONS = frozenset(
    {
        "attachments.media_keys",
        "attachments.poll_ids",
        "author_id",
        "edit_history_tweet_ids",
        "entities.mentions.username",
        "geo.place_id",
        "in_reply_to_user_id",
        "pinned_tweet_id",
        "referenced_tweets.id",
        "referenced_tweets.id.author_id",
        "referenced_tweets.id.attachments.media_keys",
    }
)
KNOWN = {
    "tweet.fields": (TWEET_FIELDS, {"id", "text", "edit_history_tweet_ids"}),
    "user.fields": (USER_FIELDS, {"id", "name", "username"}),
    "media.fields": (MEDIA_FIELDS, {"media_key", "type"}),
    "poll.fields": (POLL_FIELDS, {"id", "options"}),
    "place.fields": (PLACE_FIELDS, {"id", "full_name"}),
    "expansions": (EXPANSIONS, set[str]()),
}


class Selection:
    """What one request wants to see. Raises Refused (400) for a field that there is not."""

    def __init__(self, world: World, asked: Mapping[str, str]) -> None:
        self.world = world
        self.posts = PostsV2(world)
        self.wanted: dict[str, set[str]] = {}
        for name, (known, always) in KNOWN.items():
            given = {part for part in asked.get(name, "").split(",") if part}
            if unknown := sorted(given - known):
                raise invalid(name, asked[name], f"The `{name}` query parameter value [{unknown[0]}] is not one of "
                              f"[{','.join(sorted(known))}]")  # fmt: skip
            self.wanted[name] = given | always
        self._included: dict[str, dict[str, Json]] = {}
        self.errors: list[Json] = []

    def tweet(self, post: Post, *, main: bool = True) -> Json:
        """A post with the fields that were asked for; what it refers to comes along."""
        full = self.posts.post(post)
        self._expand(post, full, main=main)
        return self._cut("tweet.fields", full)

    def user(self, author_id: int) -> Json:
        """A user with the fields that were asked for."""
        author = self.world.authors[author_id]
        pinned = self.world.pinned(author_id)
        if pinned and "pinned_tweet_id" in self.wanted["expansions"]:
            self._include("tweets", str(pinned.id), self._cut("tweet.fields", self.posts.post(pinned)))
        return self._cut("user.fields", people.render(self.world, author))

    def body(self, data: list[Json] | Json | None, meta: Json | None = None) -> Json:
        """The whole answer."""
        found: Json = {} if data is None or data == [] else {"data": data}
        if self._included:
            found["includes"] = {kind: list(rows.values()) for kind, rows in self._included.items()}
        if self.errors:
            found["errors"] = self.errors
        return found | ({"meta": meta} if meta is not None else {})

    def _cut(self, kind: str, full: Json) -> Json:
        return {name: value for name, value in full.items() if name in self.wanted[kind]}

    def _include(self, kind: str, key: str, row: Json) -> None:
        self._included.setdefault(kind, {}).setdefault(key, row)

    def _expand(self, post: Post, full: Json, *, main: bool) -> None:
        wanted = self.wanted["expansions"]
        prefix = "" if main else "referenced_tweets.id."
        if f"{prefix}author_id" in wanted:
            self._users([post.author_id])
        if f"{prefix}attachments.media_keys" in wanted:
            for media in self.posts.media(post):
                self._include("media", media["media_key"], self._cut("media.fields", media))
        if not main:
            return
        if "entities.mentions.username" in wanted:
            self._users(mark.author_id for mark in post.marks if mark.kind == "mention")
        if "in_reply_to_user_id" in wanted and post.reply_to_author is not None:
            self._users([post.reply_to_author])
        if "attachments.poll_ids" in wanted and (poll := self.posts.poll(post)):
            self._include("polls", poll["id"], self._cut("poll.fields", poll))
        if "geo.place_id" in wanted and (place := self.posts.place(post)):
            self._include("places", place["id"], self._cut("place.fields", place))
        if "referenced_tweets.id" in wanted:
            self._referenced(full)

    def _users(self, ids: Iterable[int]) -> None:
        for number in ids:
            if self.world.authors[number].standing != "removed":
                self._include("users", str(number), self.user(number))

    def _referenced(self, full: Json) -> None:
        """Posts that it refers to; those that are gone are told of as errors."""
        for reference in full.get("referenced_tweets", []):
            original = self.world.posts[int(reference["id"])]
            why = self.world.life.missing(original, self.world.authors)
            if why is None:
                shown = self.world.life.edited.get(original.id, original)
                self._include("tweets", str(original.id), self.tweet(shown, main=False))
            else:
                make = not_yours if why in ("protected", "suspended") else not_found
                self.errors.append(make("tweet", "referenced_tweets.id", str(original.id)))
