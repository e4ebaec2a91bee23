"""What else a post of a rich world has, drawn for each post alone, so that it costs nothing until it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from xget_sandbox.world.ids import snowflake
from xget_sandbox.world.model import Author, Post

PLACES = (
    ("01fbe706f872cb32", "Lisbon", "Lisboa, Portugal", "city", "Portugal", "PT", -9.14, 38.72),
    ("07d9cd6afd884001", "Nairobi", "Nairobi, Kenya", "city", "Kenya", "KE", 36.82, -1.29),
    ("011add077f4d2da3", "Brooklyn", "Brooklyn, NY", "city", "United States", "US", -73.95, 40.65),
    ("5d838f7a011f4a2d", "Oslo", "Oslo, Norge", "admin", "Norge", "NO", 10.75, 59.91),
    ("00ab941b685334e3", "Beijing", "北京, 中华人民共和国", "admin", "中华人民共和国", "CN", 116.4, 39.9),
)
CARDS = ("audiospace", "broadcast", "player", "unified")
NOTES = (
    "The figure in this post is from 2019; the current one is a third lower.",
    "This photo was taken elsewhere, years earlier.",
    "The study that is quoted has not been reviewed by peers.",
)


@dataclass(frozen=True, slots=True)
class Extra:
    """A post's further facts; most posts have none."""

    place: tuple[str, str, str, str, str, str, float, float] | None = None
    located: bool = False
    note: str | None = None
    versions: tuple[int, ...] = ()
    card: str | None = None
    article: str | None = None
    withheld_in: tuple[str, ...] = ()
    limited: bool = False
    alt_text: str | None = None
    adult: bool = False


def extra_of(seed: int, post: Post, author: Author) -> Extra:
    """Further facts of a post; reposts have none."""
    if post.kind == "repost":
        return Extra()
    rng = Random(f"{seed}:extra:{post.id}")
    lots = [rng.random() for _ in range(9)]
    bare = not (post.media or post.poll or post.preview)
    return Extra(
        place=rng.choice(PLACES) if lots[0] < 0.06 else None,
        located=lots[1] < 0.4,
        note=rng.choice(NOTES) if lots[2] < 0.02 else None,
        versions=_versions(post, rng) if lots[3] < 0.04 and author.blue and post.kind != "reply" else (),
        card=rng.choice(CARDS) if lots[4] < 0.05 and bare else None,
        article=f"{author.name} on what comes next" if lots[5] < 0.02 and bare and author.blue else None,
        withheld_in=rng.choice((("DE",), ("TR", "IN"))) if lots[6] < 0.01 else (),
        limited=lots[7] < 0.02,
        alt_text=f"Picture {rng.randint(1, 99)}: a chart with a red line" if post.media and lots[8] < 0.5 else None,
        adult=post.sensitive and bool(post.media),
    )


def _versions(post: Post, rng: Random) -> tuple[int, ...]:
    """Ids of earlier versions, the first one first."""
    times = sorted(post.created_ms - rng.randint(60_000, 1_800_000) for _ in range(rng.randint(1, 3)))
    return tuple(snowflake(at, rng.getrandbits(12)) for at in times)
