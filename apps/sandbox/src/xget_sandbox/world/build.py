"""The world as one object with the look-ups that timelines need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from random import Random

from xget_sandbox.world.additions import make_additions
from xget_sandbox.world.authors import STAR_ID, follow_graph, followers_of, make_authors
from xget_sandbox.world.communities import Community, bookmarked, make_communities, posted_in, subscribed
from xget_sandbox.world.extras import Extra, extra_of
from xget_sandbox.world.life import Life
from xget_sandbox.world.model import Author, Post
from xget_sandbox.world.posts import DAYS_OF_POSTS, make_posts

LISTS = {1001: "climate", 1002: "ai", 1003: "football"}


class World:
    """Everything that exists. Two worlds of the same seed and size are equal; what happens to one is in its `life`."""

    def __init__(
        self,
        authors: Sequence[Author],
        posts: Sequence[Post],
        following: dict[int, list[int]],
        followers: dict[int, list[int]],
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self.rich = False
        self.life = Life()
        self.authors = {author.id: author for author in authors}
        self.handles = {author.handle.lower(): author for author in authors}
        self.posts = {post.id: post for post in posts}
        self.newest = sorted(posts, key=lambda post: -post.id)
        self.following = following
        self.followers = followers
        self.by_author: dict[int, list[Post]] = {author.id: [] for author in authors}
        self.replies_to: dict[int, list[Post]] = {}
        self.reposters: dict[int, list[int]] = {}
        for post in self.newest:
            self.by_author[post.author_id].append(post)
            if post.reply_to is not None:
                self.replies_to.setdefault(post.reply_to, []).append(post)
            if post.reposted is not None:
                self.reposters.setdefault(post.reposted, []).append(post.author_id)
        self.lists = {number: self._members(number) for number in LISTS}

    def pinned(self, author_id: int) -> Post | None:
        """The post an author has pinned, if any: the most liked of the older half, no reply or repost.

        The star has one, and every third other author.
        """
        author = self.authors[author_id]
        mine = [post for post in self.by_author[author_id] if post.kind in ("post", "quote")]
        pins = author_id == STAR_ID or (len(author.handle) + author.created_ms) % 3 == 0
        if not pins or len(mine) < 4:
            return None
        return max(mine[len(mine) // 2 :], key=lambda post: (post.metrics.likes, post.id))

    def extras_of(self, post: Post) -> Extra | None:
        """A post's extras; None in a world that is not rich."""
        return extra_of(self.seed, post, self.authors[post.author_id]) if self.rich else None

    def versions(self, post: Post) -> tuple[int, ...]:
        """Ids of a post's earlier versions, the first one first."""
        extra = self.extras_of(post)
        return (extra.versions if extra else ()) + self.life.versions.get(post.id, ())

    def shown(self, post: Post) -> Post | None:
        """The post as lists show it now, or None when they do not."""
        return self.life.shown(post, self.authors)

    def answers(self, post_id: int) -> list[Post]:
        """Direct answers to a post or to its earlier versions, the most liked first."""
        origin = self.life.versions.get(post_id, (post_id,))[0]
        return sorted(self.replies_to.get(origin, []), key=lambda post: (-post.metrics.likes, post.id))

    @cached_property
    def communities(self) -> dict[int, Community]:
        """By number; made when first asked for."""
        return make_communities(self.seed, self.authors.values())

    @cached_property
    def posted_in(self) -> dict[int, int]:
        """Post id → number of the community it was written in."""
        return posted_in(self.seed, self.communities, self.newest)

    @cached_property
    def bookmarks(self) -> list[Post]:
        """The asking account's bookmarks, latest first."""
        return bookmarked(self.seed, self.newest)

    def subscriptions(self, author_id: int) -> list[int]:
        """The creators an author pays."""
        return subscribed(author_id, self.following[author_id], self.authors)

    def conversation(self, focal: Post) -> list[Post]:
        """All answers below a post, at any depth, depth first, the most liked branches first."""
        found: list[Post] = []
        waiting = [focal]
        while waiting:
            post = waiting.pop()
            if post is not focal:
                found.append(post)
            waiting += sorted(self.replies_to.get(post.id, []), key=lambda one: (one.metrics.likes, -one.id))
        return found

    def ancestors(self, post: Post) -> list[Post]:
        """What a post answers, from the root down to its parent."""
        above: list[Post] = []
        while post.reply_to is not None:
            post = self.posts[post.reply_to]
            above.append(post)
        return above[::-1]

    def _members(self, number: int) -> list[int]:
        active = [author.id for author in self.authors.values() if author.standing == "active"]
        return active[number % 7 :: 4]


def build_world(seed: int, posts: int, days: float = DAYS_OF_POSTS, *, rich: bool = False) -> World:
    """The world of a seed: `posts` posts of the last `days` days by 240 authors and one more per 20 posts.

    A rich one has some more posts, extras on many, and counts that grow.
    """
    authors = make_authors(240 + posts // 20, Random(f"{seed}:authors"))
    following = follow_graph(authors, Random(f"{seed}:follows"))
    followers = followers_of(following, Random(f"{seed}:followers"))
    written = make_posts(posts, authors, Random(f"{seed}:posts"), days)
    if rich:
        written = sorted(
            [*written, *make_additions(authors, Random(f"{seed}:additions"), days)], key=lambda one: one.id
        )
    world = World(authors, written, following, followers, seed)
    world.rich = world.life.growing = rich
    return world
