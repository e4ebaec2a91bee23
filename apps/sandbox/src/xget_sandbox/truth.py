"""The truth: what a perfect collector finds for a task, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from xget_sandbox.errors import SandboxError
from xget_sandbox.listings import Listings
from xget_sandbox.wire.posts import repost_text
from xget_sandbox.world import World
from xget_sandbox.world.ids import iso_time
from xget_sandbox.world.model import Author, Post

Json = dict[str, Any]
POST_TASKS = ("KEYWORD_SEARCH", "HASHTAG_SEARCH", "USER_TWEETS")
USER_TASKS = ("USER_INFO", "USER_FOLLOWERS", "USER_FOLLOWING")


class Truth:
    """Answers in the words of tasks; raises SandboxError for what it does not understand."""

    def __init__(self, world: World, listings: Listings, *, replaying: bool = False) -> None:
        self.replaying = replaying
        self.world = world
        self.listings = listings

    def answer(self, asked: Mapping[str, str]) -> Json:
        """`matches` in the order of X's listing, cut to `limit`; `context` the posts that come along with them."""
        if self.replaying:
            raise SandboxError("Recordings are being replayed: the recorded files are the truth.")
        task_type = asked.get("task_type", "").upper()
        limit = _limit(asked)
        if task_type in POST_TASKS:
            return self._posts(task_type, self._rows(task_type, asked)[:limit], asked)
        if task_type in USER_TASKS:
            return self._users(task_type, self._people(task_type, asked)[:limit], asked)
        raise SandboxError(f"task_type must be one of {', '.join((*POST_TASKS, *USER_TASKS))}.")

    def _rows(self, task_type: str, asked: Mapping[str, str]) -> list[Post]:
        if task_type == "USER_TWEETS":
            return self._timeline(asked)
        if task_type == "HASHTAG_SEARCH":
            query = "#" + _needed(asked, "hashtag").removeprefix("#")
        else:
            query = asked.get("keyword") or _needed(asked, "query")
        return self.listings.search(with_filters(query, asked), asked.get("product", "Latest"))

    def _timeline(self, asked: Mapping[str, str]) -> list[Post]:
        author = self._author(asked)
        replies = _flag(asked, "include_replies", default=False)
        rows = [] if author is None else self.listings.timeline(author.id, replies=replies)
        pinned = self.world.pinned(author.id) if author and rows else None
        if pinned and not replies:
            rows = [pinned, *rows]
        if not _flag(asked, "include_retweets", default=True):
            rows = [post for post in rows if post.kind != "repost"]
        first, end = _moment(asked.get("since")), _moment(asked.get("until"))
        return [post for post in rows if (first or 0) <= post.created_ms < (end or 1 << 62)]

    def _people(self, task_type: str, asked: Mapping[str, str]) -> list[int]:
        author = self._author(asked)
        if author is None or author.standing == "suspended":
            return []
        if task_type == "USER_INFO":
            return [author.id]
        if author.standing == "protected":
            return []
        graph = self.world.followers if task_type == "USER_FOLLOWERS" else self.world.following
        return graph[author.id]

    def _author(self, asked: Mapping[str, str]) -> Author | None:
        if asked.get("user_id", "").isdecimal():
            return self.world.authors.get(int(asked["user_id"]))
        return self.listings.author(_needed(asked, "username"))

    def _posts(self, task_type: str, rows: Sequence[Post], asked: Mapping[str, str]) -> Json:
        matches = [str(post.id) for post in rows]
        along: dict[str, None] = {}
        for post in rows:
            parents = [post.reply_to] if post.reply_to and task_type == "USER_TWEETS" else []
            for other in (*self.listings.with_context(post), *parents):
                nested = self.listings.with_context(self.world.posts[other]) if other in parents else []
                along.update(dict.fromkeys(str(one) for one in (other, *nested)))
        matched = set(matches)
        context = [one for one in along if one not in matched]
        everyone = [self.world.posts[int(one)] for one in (*matches, *context)]
        authors = list(dict.fromkeys(str(post.author_id) for post in everyone))
        answer: Json = {
            "task_type": task_type, "count": len(matches), "matches": matches, "context": context, "authors": authors,
        }  # fmt: skip
        if _flag(asked, "full", default=False):
            answer["posts"] = {str(post.id): self.describe(post) for post in everyone}
        return answer

    def _users(self, task_type: str, ids: Sequence[int], asked: Mapping[str, str]) -> Json:
        matches = [str(one) for one in ids]
        answer: Json = {
            "task_type": task_type, "count": len(matches), "matches": matches, "context": [], "authors": matches,
        }  # fmt: skip
        if _flag(asked, "full", default=False):
            answer["users"] = {str(one): self._describe_user(self.world.authors[one]) for one in ids}
        return answer

    def describe(self, post: Post) -> Json:
        """A post's facts; `text` is the whole text as X delivers it (HTML entities and t.co links as they are)."""
        return {
            "text": self.raw_text(post),
            "author_id": str(post.author_id),
            "author": self.world.authors[post.author_id].handle,
            "lang": post.lang,
            "created_at": iso_time(post.created_ms),
            "kind": post.kind,
            "likes": post.metrics.likes,
            "reposts": post.metrics.reposts,
            "replies": post.metrics.replies,
            "quotes": post.metrics.quotes,
            "bookmarks": post.metrics.bookmarks,
            "views": post.metrics.views,
            "conversation_id": str(post.conversation_id),
            "reply_to": _text(post.reply_to),
            "quoted": _text(post.quoted),
            "reposted": _text(post.reposted),
            "hashtags": [mark.text for mark in post.marks if mark.kind == "hashtag"],
            "mentions": [mark.text for mark in post.marks if mark.kind == "mention"],
            "links": [mark.expanded for mark in post.marks if mark.kind == "link"],
            "media": [item.type for item in post.media],
        }

    def raw_text(self, post: Post) -> str:
        """Of a long post the note; of a repost `RT @name: ` and the whole text where X cut it."""
        if post.reposted is not None:
            original = self.world.posts[post.reposted]
            cut = repost_text(post)
            if not cut.endswith("…"):
                return cut
            return f"RT @{self.world.authors[original.author_id].handle}: {self.raw_text(original)}"
        if post.is_note:
            return post.plain
        return f"{post.text} {post.media[0].tco}" if post.media else post.text

    def _describe_user(self, author: Author) -> Json:
        return {
            "username": author.handle,
            "name": author.name,
            "description": author.bio,
            "location": author.location,
            "created_at": iso_time(author.created_ms),
            "followers": len(self.world.followers[author.id]),
            "following": len(self.world.following[author.id]),
            "posts": len(self.world.by_author[author.id]),
        }


def with_filters(query: str, asked: Mapping[str, str]) -> str:
    """The query with a task's filters as X's operators; times of day become `since_time:`."""
    parts = [query]
    if asked.get("lang"):
        parts.append(f"lang:{asked['lang']}")
    for name in ("since", "until"):
        value = asked.get(name)
        if not value:
            continue
        moment = _moment(value)
        parts.append(f"{name}:{value}" if len(value) == 10 else f"{name}_time:{(moment or 0) // 1000}")
    if not _flag(asked, "include_replies", default=True):
        parts.append("-filter:replies")
    if _flag(asked, "include_retweets", default=False):
        parts.append("include:nativeretweets")
    return f"({query}) {' '.join(parts[1:])}" if len(parts) > 1 else query


def _moment(value: str | None) -> int | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value if len(value) > 10 else f"{value}T00:00:00+00:00")
    except ValueError as error:
        raise SandboxError("since and until are dates (2026-07-01) or RFC 3339 times.") from error
    return int(moment.timestamp() * 1000)


def _needed(asked: Mapping[str, str], name: str) -> str:
    if not asked.get(name):
        raise SandboxError(f"The parameter {name} is missing.")
    return asked[name]


def _limit(asked: Mapping[str, str]) -> int | None:
    text = asked.get("limit", "")
    if text and not text.isdecimal():
        raise SandboxError("limit is a whole number.")
    return int(text) if text else None


def _flag(asked: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = asked.get(name, "").lower()
    return default if not text else text in ("1", "true", "yes")


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
