"""A post as X's GraphQL answers it: metrics and text in `legacy`, the author in `core`."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import orjson

from xget_sandbox.wire.extras import enrich
from xget_sandbox.wire.media import render_media, render_poll, render_preview
from xget_sandbox.wire.tombstones import tombstone
from xget_sandbox.wire.users import render_user
from xget_sandbox.world import World
from xget_sandbox.world.ids import NOW_MS, x_time
from xget_sandbox.world.model import Mark, Post

Json = dict[str, Any]

REPOST_CUT = 140
NOTE_CUT = 280
KEPT_POSTS = 20_000


class Renderer:
    """Renders users and posts once and keeps the bytes: pages are put together from them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._users: dict[int, orjson.Fragment] = {}
        self._posts: dict[int, orjson.Fragment] = {}
        self._epoch = world.life.epoch()

    def user(self, author_id: int) -> orjson.Fragment:
        """A user's object as JSON."""
        self._refresh()
        if author_id not in self._users:
            rendered = render_user(self.world, self.world.authors[author_id])
            self._users[author_id] = orjson.Fragment(orjson.dumps(rendered))
        return self._users[author_id]

    def post(self, post_id: int) -> orjson.Fragment:
        """A post's object as JSON, with the posts it quotes or reposts inside."""
        self._refresh()
        if post_id not in self._posts:
            if len(self._posts) >= KEPT_POSTS:
                self._posts.clear()
            rendered = self.render(self.world.posts[post_id])
            self._posts[post_id] = orjson.Fragment(orjson.dumps(rendered))
        return self._posts[post_id]

    def _refresh(self) -> None:
        """What was rendered before something happened in the world is worth nothing now."""
        epoch = self.world.life.epoch()
        if epoch != self._epoch:
            self._epoch = epoch
            self._users.clear()
            self._posts.clear()

    def render(self, post: Post) -> Json:
        """A post's object, not yet as JSON."""
        return self._render(post, nested=False)

    def _render(self, post: Post, *, nested: bool) -> Json:
        """`nested` posts name what they quote by id only, as X does."""
        extra = self.world.extras_of(post)
        tweet: Json = {
            "__typename": "Tweet",
            "core": {"user_results": {"result": self.user(post.author_id)}},
            "edit_control": self._edit_control(post),
            "grok_translated_post_with_availability": {"is_available": False},
            "is_translatable": False,
            "legacy": self._legacy(post),
            "rest_id": str(post.id),
            "source": post.source,
            "unmention_data": {},
            "views": {"count": str(self.world.life.metrics(post).views), "state": "EnabledWithCount"},
        }
        if post.poll:
            poll, final = self.world.life.poll(post.poll, post)
            tweet["card"] = render_poll(poll, post, final=final, now_ms=None if final else self.world.life.now_ms)
        elif post.preview:
            tweet["card"] = render_preview(post.preview)
        if post.is_note:
            tweet["note_tweet"] = self._note(post)
        if post.quoted is not None and nested:
            tweet["quotedRefResult"] = {"result": {"__typename": "Tweet", "rest_id": str(post.quoted)}}
        elif post.quoted is not None:
            tweet["quoted_status_result"] = {"result": self._quoted(self.world.posts[post.quoted])}
        return enrich(self.world, post, extra, tweet) if extra else tweet

    def _quoted(self, post: Post) -> Json:
        why = self.world.life.missing(post, self.world.authors)
        if why:
            return tombstone(why, self.world.authors[post.author_id].handle)
        return self._render(post, nested=True)

    def _legacy(self, post: Post) -> Json:
        metrics = self.world.life.metrics(post)
        text, marks, shown = self.delivered(post)
        start = len(text) + 1 if text else 0
        full_text = f"{text} {post.media[0].tco}".lstrip() if post.media else text
        legacy: Json = {
            "bookmark_count": metrics.bookmarks,
            "bookmarked": False,
            "conversation_id_str": str(post.conversation_id),
            "created_at": x_time(post.created_ms),
            "display_text_range": [post.display_start, shown],
            "entities": self.entities(marks),
            "favorite_count": metrics.likes,
            "favorited": False,
            "full_text": full_text,
            "id_str": str(post.id),
            "is_quote_status": post.quoted is not None,
            "lang": post.lang,
            "quote_count": metrics.quotes,
            "reply_count": metrics.replies,
            "retweet_count": metrics.reposts,
            "retweeted": False,
            "user_id_str": str(post.author_id),
        }
        author = self.world.authors[post.author_id]
        if post.media:
            media = [render_media(item, post, author, start) for item in post.media]
            legacy["entities"]["media"] = media
            legacy["extended_entities"] = {"media": media}
        if post.media or "urls" in legacy["entities"]:
            legacy |= {"possibly_sensitive": post.sensitive, "possibly_sensitive_editable": True}
        return legacy | self._references(post)

    def _references(self, post: Post) -> Json:
        if post.reposted is not None:
            original = self._render(self.world.posts[post.reposted], nested=False)
            return {"retweeted_status_result": {"result": original}}
        if post.quoted is not None:
            return {
                "quoted_status_id_str": str(post.quoted),
                "quoted_status_permalink": self._permalink(self.world.posts[post.quoted]),
            }
        if post.reply_to is not None and post.reply_to_author is not None:
            return {
                "in_reply_to_screen_name": self.world.authors[post.reply_to_author].handle,
                "in_reply_to_status_id_str": str(post.reply_to),
                "in_reply_to_user_id_str": str(post.reply_to_author),
            }
        return {}

    def _permalink(self, post: Post) -> Json:
        handle = self.world.authors[post.author_id].handle
        short = base64.urlsafe_b64encode(str(post.id % 10_000_000).encode()).decode()[:10]
        expanded = f"https://twitter.com/{handle}/status/{post.id}"
        return {"display": f"x.com/{handle}/st…", "expanded": expanded, "url": f"https://t.co/{short}"}

    def _edit_control(self, post: Post) -> Json:
        before = self.world.versions(post)
        until = post.created_ms + 3_600_000
        control = {
            "edit_tweet_ids": [str(one) for one in (*before, post.id)],
            "editable_until_msecs": str(until),
            "edits_remaining": str(5 - len(before)),
            "is_edit_eligible": until > NOW_MS and post.kind in ("post", "quote"),
        }
        return {"edit_control_initial": control, "initial_tweet_id": str(before[0])} if before else control

    @staticmethod
    def delivered(post: Post) -> tuple[str, list[Mark], int]:
        """The text as `full_text` has it (long ones cut), its marks, and where the shown part ends."""
        if post.kind == "repost":
            cut = repost_text(post)
            return cut, list(post.marks), len(cut)
        if not post.is_note:
            return post.text, list(post.marks), len(post.text)
        end = max(post.text.rfind(gap, 0, NOTE_CUT) for gap in (" ", "\n"))
        return post.text[:end], [mark for mark in post.marks if mark.end <= end], end

    def _note(self, post: Post) -> Json:
        plain = [
            replace(mark, start=_unescaped(post.text, mark.start), end=_unescaped(post.text, mark.end))
            for mark in post.marks
        ]
        sets = self.entities(plain)
        entity_set = {key: sets.get(key, []) for key in ("hashtags", "symbols", "urls", "user_mentions")}
        result = {
            "entity_set": entity_set,
            "id": base64.b64encode(f"NoteTweet:{post.id + 4096}".encode()).decode(),
            "media": {"inline_media": []},
            "richtext": {"richtext_tags": []},
            "text": post.plain,
        }
        return {"is_expandable": True, "note_tweet_results": {"result": result}}

    def entities(self, marks: Iterable[Mark]) -> Json:
        """Marks in X's words; kinds that do not occur are left out."""
        found: Json = {}
        for mark in marks:
            key, entity = self._entity(mark)
            found.setdefault(key, []).append({**entity, "indices": [mark.start, mark.end]})
        return found

    def _entity(self, mark: Mark) -> tuple[str, Json]:
        if mark.kind == "hashtag":
            return "hashtags", {"text": mark.text}
        if mark.kind == "symbol":
            return "symbols", {"text": mark.text}
        if mark.kind == "link":
            return "urls", {"display_url": mark.display, "expanded_url": mark.expanded, "url": mark.text}
        author = self.world.authors[mark.author_id]
        return "user_mentions", {"id_str": str(author.id), "name": author.name, "screen_name": author.handle}


def repost_text(post: Post) -> str:
    """What X puts into a repost's own text: at most 140 characters, cut with an ellipsis."""
    if len(post.text) <= REPOST_CUT:
        return post.text
    return re.sub(r"&[a-z]{0,3}$", "", post.text[: REPOST_CUT - 1]) + "…"


def _unescaped(text: str, index: int) -> int:
    """Where an index of the escaped text lies in the plain one, which is what notes count in."""
    return len(html.unescape(text[:index]))
