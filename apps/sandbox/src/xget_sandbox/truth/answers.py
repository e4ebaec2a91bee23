"""Answers in the words of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xget_sandbox.errors import SandboxError
from xget_sandbox.graphql.trends import trending
from xget_sandbox.listings import Listings
from xget_sandbox.truth.asked import Questions, flag, identifier, limit_of
from xget_sandbox.truth.facts import Facts
from xget_sandbox.truth.rows import ALIASES, Rows
from xget_sandbox.wire.about import about_facts
from xget_sandbox.world import World
from xget_sandbox.world.model import Post

Json = dict[str, Any]


class Truth:
    """Raises SandboxError for what it does not understand."""

    def __init__(self, world: World, listings: Listings, *, replaying: bool = False) -> None:
        self.replaying = replaying
        self.world = world
        self.listings = listings
        self.rows = Rows(world, listings)
        self.facts = Facts(world)
        self.others: dict[str, Callable[[str, Questions], Json]] = {
            "COMMUNITY_INFO": self._community,
            "USER_ABOUT": self._about,
            "TRENDS": self._trends,
        }

    @property
    def task_types(self) -> list[str]:
        """All that can be asked for."""
        return [*self.rows.posts, *self.rows.users, *self.others]

    def answer(self, asked: Questions) -> Json:
        """`matches` in the order of X's listing, cut to `limit`; `context` the posts that come along with them."""
        if self.replaying:
            raise SandboxError("Recordings are being replayed: the recorded files are the truth.")
        named = asked.get("task_type", "").upper()
        task_type = ALIASES.get(named, named)
        limit = limit_of(asked)
        if task_type in self.rows.posts:
            rows = self.rows.posts[task_type](asked)
            present = [now for post in rows if (now := self.world.shown(post))]
            answer = self._posts(task_type, present[:limit], asked)
            hidden = {str(post.id): self._why(post) for post in rows if self.world.shown(post) is None}
            return answer | ({"gone": hidden} if hidden else {})
        if task_type in self.rows.users:
            ids = [one for one in self.rows.users[task_type](asked) if self._seen(one)]
            return self._users(task_type, ids[:limit], asked)
        if task_type in self.others:
            return self.others[task_type](task_type, asked)
        raise SandboxError(f"task_type must be one of {', '.join(self.task_types)}.")

    def _posts(self, task_type: str, rows: Sequence[Post], asked: Questions) -> Json:
        matches = [str(post.id) for post in rows]
        along: dict[str, None] = {}
        for post in rows:
            parents = self._parents(task_type, post)
            for other in (*self.listings.with_context(post), *parents):
                nested = self.listings.with_context(self.world.posts[other]) if other in parents else []
                along.update(dict.fromkeys(str(one) for one in (other, *nested)))
        matched = {
            *matches,
            *(one for one in along if self.world.life.missing(self.world.posts[int(one)], self.world.authors)),
        }
        context = [one for one in along if one not in matched]
        everyone = [self.world.posts[int(one)] for one in (*matches, *context)]
        authors = list(dict.fromkeys(str(post.author_id) for post in everyone))
        answer: Json = {
            "task_type": task_type, "count": len(matches), "matches": matches, "context": context, "authors": authors,
        }  # fmt: skip
        if flag(asked, "full", default=False):
            answer["posts"] = {str(post.id): self.facts.post(post) for post in everyone}
        return answer

    def _why(self, post: Post) -> str:
        """Why lists do not show a post; a repost goes with what it repeats."""
        one = self.world.posts[post.reposted] if post.reposted in self.world.life.gone else post
        return self.world.life.missing(one, self.world.authors) or "unavailable"

    def _seen(self, author_id: int) -> bool:
        return self.world.authors[author_id].standing in ("active", "protected")

    def _parents(self, task_type: str, post: Post) -> list[int]:
        """Posts that a timeline shows together with a reply."""
        if task_type == "TWEET_DETAIL":
            return [other.id for other in self.world.ancestors(post)]
        together = task_type in ("USER_TWEETS", "USER_REPLIES")
        return [post.reply_to] if post.reply_to and together else []

    def _users(self, task_type: str, ids: Sequence[int], asked: Questions) -> Json:
        matches = [str(one) for one in ids]
        answer: Json = {
            "task_type": task_type, "count": len(matches), "matches": matches, "context": [], "authors": matches,
        }  # fmt: skip
        if flag(asked, "full", default=False):
            answer["users"] = {str(one): self.facts.user(self.world.authors[one]) for one in ids}
        return answer

    def _community(self, task_type: str, asked: Questions) -> Json:
        found = self.world.communities.get(identifier(asked, "community_id"))
        told = self.facts.community(found) if found else None
        matches = [str(found.id)] if found else []
        return {"task_type": task_type, "count": len(matches), "matches": matches, "context": [], "community": told}

    def _about(self, task_type: str, asked: Questions) -> Json:
        author = self.rows.author(asked)
        if author is None or not self._seen(author.id):
            return {"task_type": task_type, "count": 0, "matches": [], "context": [], "about": None}
        about = about_facts(self.world, author)
        return {"task_type": task_type, "count": 1, "matches": [str(author.id)], "context": [], "about": about}

    def _trends(self, task_type: str, asked: Questions) -> Json:
        names = [f"#{tag}" for tag, _ in trending(self.world)]
        return {"task_type": task_type, "count": len(names), "matches": names, "context": []}
