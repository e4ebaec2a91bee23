"""What happens to a world after it was made: posts go and are edited, people change, counts grow.

Time is the virtual clock: seconds since the start, moved by `POST clock` or by a scenario's speed. As long as nothing
has happened and no time has passed, the world is the one that was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from xget_sandbox.world.ids import DAY_MS, NOW_MS
from xget_sandbox.world.model import Author, Metrics, Poll, Post

Gone = Literal["deleted", "withheld", "age_gated"]
GROWTH_MS = 2 * DAY_MS


class Life:
    """The present of a world."""

    def __init__(self) -> None:
        self.elapsed: Callable[[], float] = lambda: 0.0
        self.growing = False
        self.gone: dict[int, Gone] = {}
        self.edited: dict[int, Post] = {}
        self.versions: dict[int, tuple[int, ...]] = {}
        self.people_changed = False
        self.changes = 0

    @property
    def now_ms(self) -> int:
        """The world's time in Unix milliseconds."""
        return NOW_MS + int(self.elapsed() * 1000)

    def epoch(self) -> tuple[int, float]:
        """Two equal epochs show the same world."""
        return self.changes, self.elapsed() if self.growing else 0.0

    def shown(self, post: Post, authors: dict[int, Author]) -> Post | None:
        """The latest version of a post, or None when lists do not show it."""
        if not self.changes:
            return post
        if post.id in self.gone or (post.reposted is not None and post.reposted in self.gone):
            return None
        if self.people_changed and authors[post.author_id].standing != "active":
            return None
        return self.edited.get(post.id, post)

    def missing(self, post: Post, authors: dict[int, Author]) -> str | None:
        """Why a stand-in is shown in the post's place: deleted, withheld, age_gated, suspended, protected, removed."""
        if not self.changes:
            return None
        standing = authors[post.author_id].standing
        return self.gone.get(post.id) or (standing if standing != "active" else None)

    def metrics(self, post: Post) -> Metrics:
        """A post's counts by now: young posts grow, old ones hardly."""
        passed = self.elapsed() if self.growing else 0.0
        if passed <= 0:
            return post.metrics
        age = max(NOW_MS - post.created_ms, 60_000)
        factor = _share(age + passed * 1000) / _share(age)
        old = post.metrics
        return replace(
            old, likes=int(old.likes * factor), reposts=int(old.reposts * factor), quotes=int(old.quotes * factor),
            bookmarks=int(old.bookmarks * factor), views=int(old.views * factor),
        )  # fmt: skip

    def poll(self, poll: Poll, post: Post) -> tuple[Poll, bool]:
        """A poll's votes by now and whether they are final; the votes of the model are the final ones."""
        end = post.created_ms + poll.minutes * 60_000
        if not self.growing or self.now_ms >= end:
            return poll, True
        share = (self.now_ms - post.created_ms) / (end - post.created_ms)
        return replace(poll, options=tuple((label, int(votes * share)) for label, votes in poll.options)), False


def _share(age_ms: float) -> float:
    return 1 - math.exp(-age_ms / GROWTH_MS)
