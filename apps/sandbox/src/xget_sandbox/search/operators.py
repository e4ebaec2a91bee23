"""What a single word or operator of a query asks of a post."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from xget_sandbox.world import World
from xget_sandbox.world.ids import snowflake
from xget_sandbox.world.model import Mark, MarkKind, Post

Match = Callable[[Post], bool]
LATIN = re.compile(r"^[\x00-\u024f]+$")
MARKED: dict[str, MarkKind] = {"#": "hashtag", "$": "symbol", "@": "mention"}


def every(parts: list[Match]) -> Match:
    """All of them."""
    return parts[0] if len(parts) == 1 else lambda post: all(match(post) for match in parts)


def negated(match: Match) -> Match:
    """The opposite."""
    return lambda post: not match(post)


def atom(world: World, token: str) -> Match:
    """One word, phrase, mark or operator."""
    name, colon, value = token.partition(":")
    if colon and name.lower() in OPERATORS:
        return OPERATORS[name.lower()](world, value.strip('"'))
    if token[0] in MARKED and len(token) > 1:
        return marked(MARKED[token[0]], token[1:])
    return words(token.strip('"'))


def words(text: str) -> Match:
    """Text in a post: whole words when it is Latin, else anywhere; case does not matter."""
    lowered = text.lower()
    if not lowered:
        return lambda post: True
    if not LATIN.match(lowered):
        return lambda post: lowered in post.plain.lower()
    whole = re.compile(rf"(?<![a-z0-9_]){re.escape(lowered)}(?![a-z0-9_])")
    return lambda post: lowered in (plain := post.plain.lower()) and whole.search(plain) is not None


def marked(kind: MarkKind, text: str) -> Match:
    """A hashtag, cashtag or mention."""
    lowered = text.lower()
    return lambda post: any(_is(mark, kind, lowered) for mark in post.marks)


def _is(mark: Mark, kind: MarkKind, lowered: str) -> bool:
    return mark.kind == kind and mark.text.lower() == lowered


def _from(world: World, value: str) -> Match:
    author = world.handles.get(value.removeprefix("@").lower())
    return lambda post: author is not None and post.author_id == author.id


def _to(world: World, value: str) -> Match:
    author = world.handles.get(value.removeprefix("@").lower())
    return lambda post: author is not None and post.reply_to_author == author.id


def _day_id(value: str) -> int:
    """The first id of a UTC day; of an unreadable day 0, which X ignores too."""
    try:
        day = datetime.strptime(value[:10].replace("_", "-"), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return 0
    return snowflake(int(day.timestamp() * 1000))


def _number(value: str) -> int:
    return int(value) if value.isdecimal() else 0


def _in_list(world: World, value: str) -> Match:
    members = set(world.lists.get(_number(value), []))
    return lambda post: post.author_id in members


def _near(world: World, value: str) -> Match:
    """Written at a place of that name, or by somebody who says to live there; how near is not looked at."""
    lowered = value.lower()

    def match(post: Post) -> bool:
        extra = world.extras_of(post)
        place = extra.place[2] if extra and extra.place else ""
        return lowered in place.lower() or lowered in world.authors[post.author_id].location.lower()

    return match


def _url(world: World, value: str) -> Match:
    lowered = value.lower()
    return lambda post: any(mark.kind == "link" and lowered in mark.expanded.lower() for mark in post.marks)


Bound = tuple[int, int | None]
BOUNDS: dict[str, Callable[[str], Bound]] = {
    "since": lambda value: (_day_id(value), None),
    "until": lambda value: (0, _day_id(value) or None),
    "since_time": lambda value: (snowflake(_number(value) * 1000), None),
    "until_time": lambda value: (0, snowflake(_number(value) * 1000)),
    "since_id": lambda value: (_number(value) + 1, None),
    "max_id": lambda value: (0, _number(value) + 1),
}


def _within(name: str) -> Callable[[World, str], Match]:
    return lambda world, value: _between(*BOUNDS[name](value))


def _between(first: int, end: int | None) -> Match:
    return lambda post: first <= post.id and (end is None or post.id < end)


def _least(count: Callable[[Post], int]) -> Callable[[World, str], Match]:
    return lambda world, value: lambda post: count(post) >= _number(value)


def _filter(world: World, value: str) -> Match:
    found = FILTERS.get(value.lower())
    if found:
        return found
    if value.lower() == "blue_verified":
        return lambda post: world.authors[post.author_id].blue
    return lambda post: True


def _has_media(*kinds: str) -> Match:
    return lambda post: any(item.type in kinds for item in post.media)


FILTERS: dict[str, Match] = {
    "replies": lambda post: post.kind == "reply",
    "quote": lambda post: post.kind == "quote",
    "retweets": lambda post: post.kind == "repost",
    "nativeretweets": lambda post: post.kind == "repost",
    "links": lambda post: bool(post.media) or any(mark.kind == "link" for mark in post.marks),
    "hashtags": lambda post: any(mark.kind == "hashtag" for mark in post.marks),
    "mentions": lambda post: any(mark.kind == "mention" for mark in post.marks),
    "self_threads": lambda post: post.reply_to_author == post.author_id,
    "native_video": lambda post: any(item.type == "video" for item in post.media),
    "twimg": lambda post: any(item.type == "photo" for item in post.media),
    "safe": lambda post: not post.sensitive,
    "media": _has_media("photo", "video", "animated_gif"),
    "images": _has_media("photo"),
    "videos": _has_media("video", "animated_gif"),
}
OPERATORS: dict[str, Callable[[World, str], Match]] = {
    "from": _from,
    "to": _to,
    "lang": lambda world, value: lambda post: post.lang == value.lower(),
    **{name: _within(name) for name in BOUNDS},
    "min_faves": _least(lambda post: post.metrics.likes),
    "min_retweets": _least(lambda post: post.metrics.reposts),
    "min_replies": _least(lambda post: post.metrics.replies),
    "conversation_id": lambda world, value: lambda post: post.conversation_id == _number(value),
    "quoted_tweet_id": lambda world, value: lambda post: post.quoted == _number(value),
    "list": _in_list,
    "near": _near,
    "within": lambda world, value: lambda post: True,
    "url": _url,
    "filter": _filter,
    "include": lambda world, value: lambda post: True,
}
