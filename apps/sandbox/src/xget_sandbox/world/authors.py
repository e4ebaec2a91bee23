"""Who lives in the world, and who follows whom."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random

from xget_sandbox.world.ids import DAY_MS, NOW_MS, snowflake
from xget_sandbox.world.model import Author, Standing

STAR = "elonmusk"
STAR_ID = 44196397
SUSPENDED = "suspended_acct"
PROTECTED = "protected_acct"
QUIET = "quiet_acct"

FIRST = (
    "Ana", "Ben", "Chidi", "Dara", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Lars", "Mina", "Noor",
    "Olu", "Priya", "Quinn", "Rosa", "Sam", "Tove", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
LAST = (
    "Almeida", "Berg", "Costa", "Diallo", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen", "Kamau",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Rao", "Silva", "Tanaka", "Usman", "Vega", "Weiss",
    "Yilmaz", "Zhang",
)  # fmt: skip
FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = ("小明", "海燕", "志强", "雨桐", "建国", "思远", "晓雯", "子涵", "文博", "静怡", "天宇", "若兰", "一凡", "梦瑶")
PINYIN = ("wang", "li", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "xu", "sun", "lin", "gao")
ROLES = (
    ("Climate scientist", "气候研究员"),
    ("AI engineer", "人工智能工程师"),
    ("Football coach & dad", "足球教练，两个孩子的爸爸"),
    ("Quantum physicist", "量子物理博士生"),
    ("Reporter. Opinions my own", "科技记者，观点仅代表个人"),
    ("Open source maintainer ⚙️", "开源维护者 ⚙️"),
    ("Space nerd 🚀", "航天爱好者 🚀"),
    ("Teacher, cyclist, baker", "老师，骑行，烘焙"),
)
CITIES = (("Lisbon", "北京"), ("Nairobi", "上海"), ("Oslo", "深圳"), ("", ""), ("Toronto 🇨🇦", "杭州"))


def make_authors(count: int, rng: Random) -> list[Author]:
    """The star first, then three of special standing, then `count - 4` others, three in ten writing Chinese."""
    made = [_star(), *_special()]
    handles = {author.handle.lower() for author in made}
    while len(made) < count:
        author = _someone(len(made), rng)
        if author.handle.lower() not in handles:
            handles.add(author.handle.lower())
            made.append(author)
    return made


def _star() -> Author:
    return Author(
        id=STAR_ID, handle=STAR, name="Elon Musk", bio="", location="", language="en", created_ms=1243973549000,
        blue=True, business=False, standing="active", favourites=182_344, website=None,
    )  # fmt: skip


def _special() -> list[Author]:
    rows: tuple[tuple[int, str, str, Standing], ...] = (
        (1000001, SUSPENDED, "Suspended", "suspended"),
        (1000002, PROTECTED, "Protected", "protected"),
        (1000003, QUIET, "Quiet", "active"),
    )
    return [
        Author(
            id=number, handle=handle, name=name, bio="Nothing to see here.", location="", language="en",
            created_ms=1300000000000, blue=False, business=False, standing=standing, favourites=0, website=None,
        )
        for number, handle, name, standing in rows
    ]  # fmt: skip


def _someone(index: int, rng: Random) -> Author:
    chinese = rng.random() < 0.3
    created = NOW_MS - rng.randint(60 * DAY_MS, 5500 * DAY_MS)
    if chinese:
        name = rng.choice(FAMILY) + rng.choice(GIVEN)
        handle = f"{rng.choice(PINYIN)}_{rng.choice(PINYIN)}{rng.randint(1, 9999)}"
    else:
        first, last = rng.choice(FIRST), rng.choice(LAST)
        name = f"{first} {last}" + rng.choice(("", "", "", " 🌍", ", PhD", " ⚽"))
        handle = f"{_ascii(first)}{_ascii(last)}{rng.randint(1, 999)}"[:15]
    side = 1 if chinese else 0
    recent = created > 1_383_000_000_000
    website = f"https://{handle.lower().replace('_', '-')}.example.org/about" if rng.random() < 0.5 else None
    return Author(
        id=snowflake(created, index) if recent else 20_000_000 + index * 7919 + rng.randint(0, 7000),
        handle=handle, name=name, bio=_bio(side, rng), location=rng.choice(CITIES)[side],
        language="zh" if chinese else "en", created_ms=created, blue=rng.random() < 0.25,
        business=rng.random() < 0.05, standing="active", favourites=rng.randint(3, 60_000), website=website,
    )  # fmt: skip


def _bio(side: int, rng: Random) -> str:
    return " | ".join(role[side] for role in rng.sample(ROLES, rng.randint(1, 2)))


def _ascii(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and letter.isalpha())


def follow_graph(authors: Sequence[Author], rng: Random) -> dict[int, list[int]]:
    """Author id → ids followed, newest first. Early authors are the popular ones; most follow the star."""
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(authors))))
    everyone = [author.id for author in authors if author.standing != "suspended"]
    known = set(everyone)
    ranked = [author.id for author in authors]
    following: dict[int, list[int]] = {}
    for author in authors:
        picked = dict.fromkeys(rng.choices(ranked, cum_weights=weights, k=rng.randint(8, 60)))
        if rng.random() < 0.9:
            picked = {STAR_ID: None} | picked
        ids = [other for other in picked if other != author.id and other in known]
        rng.shuffle(ids)
        following[author.id] = [] if author.standing == "suspended" else ids
    following[STAR_ID] = [other for other in everyone if other != STAR_ID][5:125]
    return following


def followers_of(following: dict[int, list[int]], rng: Random) -> dict[int, list[int]]:
    """The graph the other way round, each list newest first."""
    followers: dict[int, list[int]] = {author: [] for author in following}
    for author, others in following.items():
        for other in others:
            followers[other].append(author)
    for ids in followers.values():
        rng.shuffle(ids)
    return followers
