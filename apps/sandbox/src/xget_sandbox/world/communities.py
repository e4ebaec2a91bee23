"""Communities, subscriptions and bookmarks: derived from the world without touching how it was drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from xget_sandbox.world.ids import snowflake_ms
from xget_sandbox.world.model import Author, Post

NAMED = (
    (1501272736215322629, "Climate Desk", "What the data say about a warming planet.", "Science", True),
    (1493446837214187523, "AI 人工智能", "模型、论文与工具。 Models, papers and tools.", "Technology", True),
    (1506769021410480129, "Football Fans", "Every match, every goal.", "Sports", True),
    (1601841656147345410, "Back Room", "Members only.", "Other", False),
)
RULES = ("Be kind and respectful.", "Keep posts on topic.", "Explore and share.")
POSTED_SHARE = 12


@dataclass(frozen=True, slots=True)
class Community:
    """One community; `members` has the moderators first, the first of them is its admin."""

    id: int
    name: str
    description: str
    topic: str
    open: bool
    created_ms: int
    moderators: tuple[int, ...]
    members: tuple[int, ...]

    def role(self, author_id: int) -> str:
        """X's word for what somebody is in it."""
        if author_id == self.moderators[0]:
            return "Admin"
        return "Moderator" if author_id in self.moderators else "Member"


def make_communities(seed: int, authors: Iterable[Author]) -> dict[int, Community]:
    """Four communities, one of which may not be seen from outside."""
    active = [author.id for author in authors if author.standing == "active"]
    return {row[0]: _community(seed, active, row) for row in NAMED}


def _community(seed: int, active: Sequence[int], row: tuple[int, str, str, str, bool]) -> Community:
    number, name, description, topic, opened = row
    rng = Random(f"{seed}:community:{number}")
    members = rng.sample(active, max(len(active) // 3, 1))
    moderators = tuple(members[: rng.randint(2, 5)])
    return Community(number, name, description, topic, opened, snowflake_ms(number), moderators, tuple(members))


def posted_in(seed: int, communities: dict[int, Community], posts: Iterable[Post]) -> dict[int, int]:
    """Post id → community id, for the posts that their members wrote there."""
    homes: dict[int, list[int]] = {}
    for community in communities.values():
        for member in community.members:
            homes.setdefault(member, []).append(community.id)
    found: dict[int, int] = {}
    for post in posts:
        mine = homes.get(post.author_id)
        if mine is None or post.kind not in ("post", "quote"):
            continue
        lot = crc32(f"{seed}:posted:{post.id}".encode())
        if lot % 100 < POSTED_SHARE:
            found[post.id] = mine[lot // 100 % len(mine)]
    return found


def bookmarked(seed: int, posts: Sequence[Post]) -> list[Post]:
    """What the account that asks has bookmarked, latest bookmark first: one post in thirty."""
    rng = Random(f"{seed}:bookmarks")
    originals = [post for post in posts if post.kind != "repost"]
    return rng.sample(originals, len(originals) // 30)


def subscribed(author_id: int, following: Sequence[int], authors: dict[int, Author]) -> list[int]:
    """The creators somebody pays: some of the verified ones among those followed."""
    return [
        other for other in following if authors[other].blue and crc32(f"{author_id}:{other}".encode()) % 3 == 0
    ]  # fmt: skip
