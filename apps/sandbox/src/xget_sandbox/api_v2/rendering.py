"""Posts of the world as API v2 answers them, with what they refer to."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from xget_sandbox.wire.media import render_media
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.world import World
from xget_sandbox.world.model import Mark, Post

Json = dict[str, Any]


def stamp(at_ms: int) -> str:
    """The API's time: `2026-07-08T21:59:10.000Z`, whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class PostsV2:
    """Renders every field; whoever asks gets those that were asked for."""

    def __init__(self, world: World) -> None:
        self.world = world

    def post(self, post: Post) -> Json:
        """A post with all its fields."""
        metrics, extra = self.world.life.metrics(post), self.world.extras_of(post)
        text, marks = self._delivered(post)
        found: Json = {
            "id": str(post.id),
            "text": text,
            "edit_history_tweet_ids": [str(one) for one in (*self.world.versions(post), post.id)],
            "author_id": str(post.author_id),
            "conversation_id": str(post.conversation_id),
            "created_at": stamp(post.created_ms),
            "edit_controls": self._edits(post),
            "lang": post.lang,
            "possibly_sensitive": post.sensitive,
            "public_metrics": {
                "retweet_count": metrics.reposts, "reply_count": metrics.replies, "like_count": metrics.likes,
                "quote_count": metrics.quotes, "bookmark_count": metrics.bookmarks, "impression_count": metrics.views,
            },
            "reply_settings": "mentionedUsers" if extra and extra.limited else "everyone",
        }  # fmt: skip
        if entities := self._entities(post, marks, text):
            found["entities"] = entities
        if post.is_note:
            found["note_tweet"] = {"text": post.plain, "entities": self._marks(_unescaped(post, post.marks))}
        if references := _references(post):
            found["referenced_tweets"] = references
        if post.reply_to_author is not None:
            found["in_reply_to_user_id"] = str(post.reply_to_author)
        attachments: Json = {}
        if post.media:
            attachments["media_keys"] = [one["media_key"] for one in self._media(post)]
        if post.poll:
            attachments["poll_ids"] = [str(post.id - 1)]
        if attachments:
            found["attachments"] = attachments
        if extra and extra.place:
            found["geo"] = {"place_id": extra.place[0]}
            if extra.located:
                found["geo"]["coordinates"] = {"type": "Point", "coordinates": [extra.place[6], extra.place[7]]}
        if extra and extra.withheld_in:
            found["withheld"] = {"copyright": False, "country_codes": list(extra.withheld_in)}
        home = self.world.posted_in.get(post.id) if self.world.rich else None
        return found | ({"community_id": str(home)} if home is not None else {})

    def media(self, post: Post) -> list[Json]:
        """The post's media as `includes.media` has them."""
        extra = self.world.extras_of(post)
        return [_media(one, extra.alt_text if extra else None) for one in self._media(post)]

    def poll(self, post: Post) -> Json | None:
        """The post's poll."""
        if post.poll is None:
            return None
        poll, final = self.world.life.poll(post.poll, post)
        options = [{"position": n, "label": label, "votes": votes} for n, (label, votes) in enumerate(poll.options, 1)]
        return {
            "id": str(post.id - 1), "options": options, "duration_minutes": poll.minutes,
            "end_datetime": stamp(post.created_ms + poll.minutes * 60_000),
            "voting_status": "closed" if final else "open",
        }  # fmt: skip

    def place(self, post: Post) -> Json | None:
        """Where the post says that it was written."""
        extra = self.world.extras_of(post)
        if extra is None or extra.place is None:
            return None
        number, name, full_name, kind, country, code, west, south = extra.place
        box = [west, south, round(west + 0.3, 2), round(south + 0.2, 2)]
        return {
            "id": number, "name": name, "full_name": full_name, "place_type": kind, "country": country,
            "country_code": code, "geo": {"type": "Feature", "bbox": box, "properties": {}},
        }  # fmt: skip

    def _media(self, post: Post) -> list[Json]:
        author = self.world.authors[post.author_id]
        return [render_media(one, post, author, 0) for one in post.media]

    def _delivered(self, post: Post) -> tuple[str, list[Mark]]:
        text, marks, _ = Renderer.delivered(post)
        return (f"{text} {post.media[0].tco}".lstrip() if post.media else text), marks

    def _entities(self, post: Post, marks: Iterable[Mark], text: str) -> Json:
        found = self._marks(marks)
        for one in self._media(post):
            start = len(text) - len(one["url"])
            url = {name: one[name] for name in ("url", "expanded_url", "display_url", "media_key")}
            found.setdefault("urls", []).append({"start": start, "end": len(text)} | url)
        return found

    def _marks(self, marks: Iterable[Mark]) -> Json:
        found: Json = {}
        for mark in marks:
            at = {"start": mark.start, "end": mark.end}
            if mark.kind in ("hashtag", "symbol"):
                found.setdefault("hashtags" if mark.kind == "hashtag" else "cashtags", []).append(
                    at | {"tag": mark.text}
                )
            elif mark.kind == "link":
                link = {"url": mark.text, "expanded_url": mark.expanded, "display_url": mark.display}
                found.setdefault("urls", []).append(at | link)
            else:
                author = self.world.authors[mark.author_id]
                found.setdefault("mentions", []).append(at | {"username": author.handle, "id": str(author.id)})
        return found

    def _edits(self, post: Post) -> Json:
        return {
            "edits_remaining": 5 - len(self.world.versions(post)),
            "is_edit_eligible": False,
            "editable_until": stamp(post.created_ms + 3_600_000),
        }


def _unescaped(post: Post, marks: Iterable[Mark]) -> list[Mark]:
    return [
        Mark(
            mark.kind, len(html.unescape(post.text[: mark.start])), len(html.unescape(post.text[: mark.end])),
            mark.text, mark.author_id, mark.expanded, mark.display,
        )
        for mark in marks
    ]  # fmt: skip


def _references(post: Post) -> list[Json]:
    named = {"retweeted": post.reposted, "quoted": post.quoted, "replied_to": post.reply_to}
    return [{"type": kind, "id": str(number)} for kind, number in named.items() if number is not None]


def _media(entity: Json, alt_text: str | None) -> Json:
    """From the entity of the web's wire: both tell of the same file."""
    found: Json = {
        "media_key": entity["media_key"], "type": entity["type"],
        "width": entity["original_info"]["width"], "height": entity["original_info"]["height"],
    }  # fmt: skip
    if alt_text:
        found["alt_text"] = alt_text
    if entity["type"] == "photo":
        return found | {"url": entity["media_url_https"]}
    video = entity["video_info"]
    variants = [
        {"content_type": one["content_type"], "url": one["url"]}
        | ({"bit_rate": one["bitrate"]} if "bitrate" in one else {})
        for one in video["variants"]
    ]
    length = {"duration_ms": video["duration_millis"]} if "duration_millis" in video else {}
    return found | {"preview_image_url": entity["media_url_https"], "variants": variants} | length
