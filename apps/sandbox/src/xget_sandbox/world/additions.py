"""Posts that only a rich world has: threads by one author, polls that still run. Drawn apart from all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from xget_sandbox.world.authors import STAR_ID
from xget_sandbox.world.ids import DAY_MS, NOW_MS, snowflake
from xget_sandbox.world.model import Author, Metrics, Poll, Post
from xget_sandbox.world.posts import SOURCES

THREADS = 12
POLLS = 8
LABELS = ("Yes", "No", "Ask me later")


def make_additions(authors: Sequence[Author], rng: Random, days: float) -> list[Post]:
    """Threads of three to thirteen posts and polls of the last day that end within three days."""
    active = [author for author in authors if author.standing == "active"]
    made: list[Post] = []
    for number in range(THREADS):
        author = active[0] if number < 3 else rng.choice(active)
        made += _thread(author, number, rng, days)
    for number in range(POLLS):
        made.append(_poll(rng.choice(active), number, rng))
    return sorted(made, key=lambda post: post.id)


def _thread(author: Author, number: int, rng: Random, days: float) -> list[Post]:
    at = NOW_MS - rng.randint(DAY_MS // 2, int((days - 1) * DAY_MS) if days > 2 else DAY_MS)
    length = 13 if number == 0 else rng.randint(3, 7)
    posts: list[Post] = []
    for place in range(1, length + 1):
        at += rng.randint(20_000, 90_000)
        text = f"{place}/{length} A thread on the heat records of summer {2000 + number}, part {place}."
        post = _plain(author, at, text, rng)
        if posts:
            before = posts[-1]
            post = replace(
                post, kind="reply", reply_to=before.id, reply_to_author=author.id,
                conversation_id=posts[0].id,
            )  # fmt: skip
        posts.append(post)
    counted = [replace(one, metrics=replace(one.metrics, replies=1)) for one in posts[:-1]]
    return [*counted, posts[-1]]


def _poll(author: Author, number: int, rng: Random) -> Post:
    at = NOW_MS - rng.randint(3_600_000, DAY_MS)
    post = _plain(author, at, f"Will summer {2026 + number} be hotter than this one?", rng)
    options = tuple((label, rng.randint(200, 9_000)) for label in LABELS)
    return replace(post, poll=Poll(options, rng.choice((2880, 4320))))


def _plain(author: Author, at: int, text: str, rng: Random) -> Post:
    reach = 5_000 if author.id == STAR_ID else 20
    likes = int(reach * rng.paretovariate(1.2))
    identifier = snowflake(at, rng.getrandbits(12))
    return Post(
        id=identifier, author_id=author.id, created_ms=at, lang="en", kind="post", text=text, marks=(),
        metrics=Metrics(likes, likes // 8, 0, likes // 60, likes // 20, likes * 40 + rng.randint(0, 50)),
        source=rng.choice(SOURCES), conversation_id=identifier,
    )  # fmt: skip
