"""Filling the world's time with posts, oldest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from random import Random

from xget_sandbox.world.authors import QUIET, STAR_ID
from xget_sandbox.world.chinese import CHINESE
from xget_sandbox.world.english import ENGLISH
from xget_sandbox.world.ids import DAY_MS, NOW_MS, snowflake
from xget_sandbox.world.model import Author, Kind, Mark, Metrics, Post
from xget_sandbox.world.topics import topic_deck
from xget_sandbox.world.writing import Draft, body, make_media, make_poll, web_link

DAYS_OF_POSTS = 120
STAR_SHARE = 0.3
KINDS: Mapping[Kind, float] = {"post": 0.68, "reply": 0.18, "quote": 0.08, "repost": 0.06}
SOURCES = (
    '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
    '<a href="http://twitter.com/download/iphone" rel="nofollow">Twitter for iPhone</a>',
    '<a href="http://twitter.com/download/android" rel="nofollow">Twitter for Android</a>',
)


def make_posts(count: int, authors: Sequence[Author], rng: Random, days: float = DAYS_OF_POSTS) -> list[Post]:
    """`count` posts in the order of their ids, about the last `days` days; shares of topics and kinds are exact."""
    return PostMaker(authors, rng).make(count, days)


class PostMaker:
    """Writes posts one after the other; replies, quotes and reposts refer to earlier ones."""

    def __init__(self, authors: Sequence[Author], rng: Random) -> None:
        self.rng = rng
        self.by_id = {author.id: author for author in authors}
        active = [author for author in authors if author.standing == "active" and author.handle != QUIET]
        self.star = self.by_id[STAR_ID]
        self.others = [author for author in active if author.id != STAR_ID]
        self.weights = list(accumulate(1 / (rank + 8) for rank in range(len(self.others))))
        self.posts: list[Post] = []
        self.originals: list[Post] = []
        self.by_post: dict[int, Post] = {}
        self.replies: dict[int, int] = {}
        self.reposts: set[tuple[int, int]] = set()

    def make(self, count: int, days: float) -> list[Post]:
        """All posts, with reply counts that are true."""
        kinds = self._deck(count)
        topics = iter(topic_deck(count - kinds.count("repost"), self.rng))
        step = int(days * DAY_MS) // max(count, 1)
        for index, kind in enumerate(kinds):
            at = NOW_MS - (count - index) * step + self.rng.randrange(step)
            self._add(self._repost(at) if kind == "repost" else self._write(kind, next(topics), at))
        return [self._counted(post) for post in self.posts]

    def _deck(self, count: int) -> list[Kind]:
        """Kinds in exact shares; the first tenth are plain posts, so that there is something to refer to."""
        rest = [kind for kind, share in KINDS.items() if kind != "post" for _ in range(int(count * share))]
        head = min(count - len(rest), max(count // 10, 3))
        plain: Kind = "post"
        deck: list[Kind] = [*rest, *[plain] * (count - len(rest) - head)]
        self.rng.shuffle(deck)
        return [*[plain] * head, *deck]

    def _add(self, post: Post) -> None:
        self.posts.append(post)
        self.by_post[post.id] = post
        if post.kind != "repost":
            self.originals.append(post)
        if post.reply_to is not None:
            self.replies[post.reply_to] = self.replies.get(post.reply_to, 0) + 1

    def _author(self) -> Author:
        if self.rng.random() < STAR_SHARE:
            return self.star
        return self.rng.choices(self.others, cum_weights=self.weights)[0]

    def _target(self, author: Author) -> Post | None:
        """An earlier post of somebody else; the first and the star's posts draw the most answers."""
        for _ in range(20):
            index = int(len(self.originals) * self.rng.random() ** 2)
            post = self.originals[index if self.rng.random() < 0.5 else index // 10]
            if post.author_id != author.id:
                return post
        return None

    def _write(self, kind: Kind, topic: str, at: int) -> Post:
        rng, author = self.rng, self._author()
        target = self._target(author) if kind != "post" else None
        draft, shown_from = Draft(), 0
        if kind == "reply" and target is not None:
            shown_from = draft.mention(self.by_id[target.author_id])
        phrases = CHINESE if author.language == "zh" else ENGLISH
        body(draft, phrases, topic, rng, long=rng.random() < 0.06 and kind != "reply")
        preview = web_link(draft, rng) if rng.random() < 0.2 else None
        identifier = snowflake(at, rng.getrandbits(12))
        post = Post(
            id=identifier, author_id=author.id, created_ms=at, lang=author.language, kind="post", text=draft.text,
            marks=tuple(draft.marks), metrics=self._metrics(author), source=rng.choice(SOURCES),
            conversation_id=identifier, display_start=shown_from, preview=preview, sensitive=rng.random() < 0.02,
        )  # fmt: skip
        post = self._refer(post, kind, target)
        if preview is None and rng.random() < 0.25:
            return replace(post, media=make_media(at, rng))
        if preview is None and post.kind == "post" and rng.random() < 0.03:
            return replace(post, poll=make_poll(rng))
        return post

    @staticmethod
    def _refer(post: Post, kind: Kind, target: Post | None) -> Post:
        if target is None or kind == "post":
            return post
        if kind == "quote":
            return replace(post, kind="quote", quoted=target.id)
        return replace(
            post, kind="reply", reply_to=target.id, reply_to_author=target.author_id,
            conversation_id=target.conversation_id,
        )  # fmt: skip

    def _repost(self, at: int) -> Post:
        author = self._author()
        target = self._target(author)
        while target is None or (author.id, target.id) in self.reposts:
            author = self._author()
            target = self._target(author)
        self.reposts.add((author.id, target.id))
        identifier = snowflake(at, self.rng.getrandbits(12))
        original = self.by_id[target.author_id]
        whole = f"RT @{original.handle}: {target.text}"
        mark = Mark("mention", 3, 4 + len(original.handle), original.handle, author_id=original.id)
        return Post(
            id=identifier, author_id=author.id, created_ms=at, lang=target.lang, kind="repost", text=whole,
            marks=(mark,), metrics=replace(target.metrics, likes=0, replies=0, quotes=0, bookmarks=0),
            source=self.rng.choice(SOURCES), conversation_id=identifier, reposted=target.id,
        )  # fmt: skip

    def _metrics(self, author: Author) -> Metrics:
        reach = 40_000 if author.id == STAR_ID else 40
        likes = int(reach * self.rng.paretovariate(1.2))
        return Metrics(
            likes=likes,
            reposts=likes // self.rng.randint(4, 12),
            replies=0,
            quotes=likes // self.rng.randint(30, 90),
            bookmarks=likes // self.rng.randint(8, 40),
            views=likes * self.rng.randint(20, 90) + self.rng.randint(0, 50),
        )

    def _counted(self, post: Post) -> Post:
        count = 0 if post.kind == "repost" else self.replies.get(post.id, 0)
        return replace(post, metrics=replace(post.metrics, replies=count))
