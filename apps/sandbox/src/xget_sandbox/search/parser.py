"""X's search syntax, as far as people use it, over the world's posts.

Words (whole for Latin letters, anywhere for Chinese), "phrases", `OR` (binds tighter than a blank, as on X's own page),
`-`, parentheses, `#tag`, `@name`, `$SYM`, `from:`, `to:`, `lang:`, `since:`/`until:` (UTC days), `since_time:`/
`until_time:` (Unix seconds), `since_id:`/`max_id:`, `min_faves:`/`min_retweets:`/`min_replies:`, `conversation_id:`,
`quoted_tweet_id:`, `list:`, `url:`, `near:` (`within:` is not looked at), and `filter:`/`-filter:`/`include:` with
replies, links, media, images, videos, native_video, twimg, quote, retweets, nativeretweets, hashtags, mentions,
self_threads, safe, blue_verified. Native reposts are listed only when asked for, as on X.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from xget_sandbox.search.operators import BOUNDS, Match, atom, every, negated
from xget_sandbox.world import World
from xget_sandbox.world.model import Post

TOKEN = re.compile(r'-?\(|\)|-?(?:[a-z_]+:)?"[^"]*"|[^\s()"]+', re.IGNORECASE)


class Search:
    """Finds posts; answers of recent queries are kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._kept: dict[tuple[str, str], list[Post]] = {}

    def find(self, query: str, product: str = "Latest") -> list[Post]:
        """Matching posts in X's order: newest first, or for Top by likes; Media keeps posts with media only."""
        key = (query.strip(), product)
        if key not in self._kept:
            if len(self._kept) > 200:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._look(*key)
        return self._kept[key]

    def _look(self, query: str, product: str) -> list[Post]:
        parser = Parser(self.world, query)
        match = parser.parse()
        reposts = bool(re.search(r"(?<!-)(filter|include):(native)?retweets", query, re.IGNORECASE))
        rows = self._between(parser.first, parser.end)
        found = [post for post in rows if (reposts or post.kind != "repost") and match(post)]
        if product in ("Media", "Photos", "Videos"):
            found = [post for post in found if post.media]
        if product == "Top":
            found.sort(key=lambda post: (-post.metrics.likes, -post.id))
        return found

    def _between(self, first: int, end: int | None) -> Sequence[Post]:
        """Posts with ids from `first` to below `end`, newest first."""
        newest = self.world.newest
        begin = 0 if end is None else bisect_right(newest, -end, key=lambda post: -post.id)
        return newest[begin : bisect_right(newest, -first, key=lambda post: -post.id)]


class Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, world: World, query: str) -> None:
        self.world = world
        self.tokens = TOKEN.findall(query)
        self.at = 0
        self.depth = 0
        self.first = 0
        self.end: int | None = None

    def parse(self) -> Match:
        """The query as a predicate; an empty query matches nothing."""
        if not self.tokens:
            return lambda post: False
        parts: list[Match] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at] == ")":
                self.at += 1
                continue
            parts.append(self._all())
        return every(parts)

    def _all(self) -> Match:
        parts: list[Match] = []
        while self.at < len(self.tokens) and self.tokens[self.at] != ")":
            parts.append(self._any())
        return every(parts)

    def _any(self) -> Match:
        began = self.at
        choices = [self._term()]
        while self.at < len(self.tokens) and self.tokens[self.at] == "OR":
            self.at += 1
            if self.at < len(self.tokens) and self.tokens[self.at] != ")":
                choices.append(self._term())
        if len(choices) == 1 and self.depth == 0:
            self._narrow(self.tokens[began])
        return choices[0] if len(choices) == 1 else lambda post: any(match(post) for match in choices)

    def _narrow(self, word: str) -> None:
        """Ids outside a bound that holds for the whole query need not be looked at."""
        name, _, value = word.partition(":")
        bound = BOUNDS.get(name.lower())
        if bound is None:
            return
        first, end = bound(value.strip('"'))
        self.first = max(self.first, first)
        if end is not None:
            self.end = end if self.end is None else min(self.end, end)

    def _term(self) -> Match:
        word = self.tokens[self.at]
        self.at += 1
        if word in ("(", "-("):
            self.depth += 1
            inner = self._all()
            self.at += 1
            self.depth -= 1
            return inner if word == "(" else negated(inner)
        if word.startswith("-") and len(word) > 1:
            return negated(atom(self.world, word[1:]))
        return (lambda post: True) if word in ("AND", "OR") else atom(self.world, word)
