"""Posts, users and communities as plain facts."""

from __future__ import annotations

from typing import Any

from xget_sandbox.wire.posts import repost_text
from xget_sandbox.world import World
from xget_sandbox.world.communities import RULES, Community
from xget_sandbox.world.ids import iso_time
from xget_sandbox.world.model import Author, Post

Json = dict[str, Any]


class Facts:
    """Describes what is in a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def post(self, post: Post) -> Json:
        """A post's facts; `text` is the whole text as X delivers it (HTML entities and t.co links as they are)."""
        metrics = self.world.life.metrics(post)
        facts = {
            "text": self.raw_text(post),
            "author_id": str(post.author_id),
            "author": self.world.authors[post.author_id].handle,
            "lang": post.lang,
            "created_at": iso_time(post.created_ms),
            "kind": post.kind,
            "likes": metrics.likes,
            "reposts": metrics.reposts,
            "replies": metrics.replies,
            "quotes": metrics.quotes,
            "bookmarks": metrics.bookmarks,
            "views": metrics.views,
            "conversation_id": str(post.conversation_id),
            "reply_to": _text(post.reply_to),
            "quoted": _text(post.quoted),
            "reposted": _text(post.reposted),
            "hashtags": [mark.text for mark in post.marks if mark.kind == "hashtag"],
            "mentions": [mark.text for mark in post.marks if mark.kind == "mention"],
            "links": [mark.expanded for mark in post.marks if mark.kind == "link"],
            "media": [item.type for item in post.media],
        }
        return facts | self._further(post)

    def _further(self, post: Post) -> Json:
        """What only some posts have; left out of those that do not."""
        facts: Json = {}
        if post.poll:
            poll, final = self.world.life.poll(post.poll, post)
            facts["poll"] = {"options": [list(option) for option in poll.options], "final": final}
        if versions := self.world.versions(post):
            facts["versions"] = [str(one) for one in versions]
        extra = self.world.extras_of(post)
        if extra is None:
            return facts
        found = {
            "place": extra.place[2] if extra.place else None,
            "coordinates": extra.place[6:] if extra.place and extra.located else None,
            "note": extra.note,
            "card": extra.card,
            "article": extra.article,
            "withheld_in": extra.withheld_in,
            "limited": extra.limited,
            "alt_text": extra.alt_text,
            "community": _text(self.world.posted_in.get(post.id)),
        }
        return facts | {name: value for name, value in found.items() if value}

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

    def user(self, author: Author) -> Json:
        """A user's facts."""
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

    def community(self, community: Community) -> Json:
        """A community's facts."""
        return {
            "id": str(community.id),
            "name": community.name,
            "description": community.description,
            "topic": community.topic,
            "open": community.open,
            "created_at": iso_time(community.created_ms),
            "members": len(community.members),
            "moderators": len(community.moderators),
            "rules": list(RULES),
        }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
