"""API v2's query language: a blank binds tighter than OR, and operators have names of their own."""

from __future__ import annotations

from collections.abc import Callable

from xget_sandbox.api_v2.problems import CATALOGUE, invalid
from xget_sandbox.search.operators import FILTERS, Match, atom, every, negated
from xget_sandbox.search.parser import TOKEN
from xget_sandbox.world import World
from xget_sandbox.world.model import Post

LONGEST = 512
KINDS: dict[str, Match] = {
    "is:retweet": lambda post: post.kind == "repost",
    "is:reply": lambda post: post.kind == "reply",
    "is:quote": lambda post: post.kind == "quote",
    "has:media": FILTERS["media"],
    "has:images": FILTERS["images"],
    "has:videos": FILTERS["videos"],
    "has:video_link": FILTERS["videos"],
    "has:links": FILTERS["links"],
    "has:hashtags": FILTERS["hashtags"],
    "has:mentions": FILTERS["mentions"],
}
SAME = frozenset({"from", "to", "url", "lang", "list", "conversation_id"})
"""Operators that the web's search has by the same name."""
ALONE = frozenset({"from", "to", "url", "list", "conversation_id", *("quotes_of_tweet_id", "in_reply_to_tweet_id")})


def _number(value: str) -> int:
    return int(value) if value.isdecimal() else 0


NUMBERED: dict[str, Callable[[int], Match]] = {
    "quotes_of_tweet_id": lambda number: lambda post: post.quoted == number,
    "in_reply_to_tweet_id": lambda number: lambda post: post.reply_to == number,
    "retweets_of_tweet_id": lambda number: lambda post: post.reposted == number,
}


class Query:
    """Recursive descent over one query. Raises Refused (400) with the API's own words."""

    def __init__(self, world: World, text: str) -> None:
        self.world = world
        self.text = text
        if len(text) > LONGEST:
            message = f"Query length is {len(text)}, the max allowed is {LONGEST}."
            raise invalid("query", text, f"There were errors processing your request: {message}")
        self.tokens = TOKEN.findall(text)
        self.at = 0
        self.stands_alone = False

    def parse(self) -> Match:
        """The query as a predicate."""
        if not self.tokens:
            raise self._wrong("missing EOF at '<EOF>' (at position 1)")
        match = self._choice()
        if self.at < len(self.tokens):
            raise self._wrong(f"no viable alternative at input '{self.tokens[self.at]}'")
        if not self.stands_alone:
            raise self._wrong("Rules must contain at least one positive, non-stopword clause (at position 1)")
        return match

    def _choice(self) -> Match:
        sides = [self._all()]
        while self.at < len(self.tokens) and self.tokens[self.at] == "OR":
            self.at += 1
            sides.append(self._all())
        return sides[0] if len(sides) == 1 else lambda post: any(side(post) for side in sides)

    def _all(self) -> Match:
        parts: list[Match] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in (")", "OR"):
            parts.append(self._factor())
        if not parts:
            raise self._wrong("no viable alternative at input 'OR'")
        return every(parts)

    def _factor(self) -> Match:
        word = self.tokens[self.at]
        self.at += 1
        if word not in ("(", "-("):
            return negated(self._atom(word[1:], alone=False)) if word[0] == "-" and len(word) > 1 else self._atom(word)
        inner = self._choice()
        if self.at >= len(self.tokens):
            raise self._wrong("missing ')' at '<EOF>'")
        self.at += 1
        return inner if word == "(" else negated(inner)

    def _atom(self, word: str, *, alone: bool = True) -> Match:
        name, colon, value = word.partition(":")
        name = name.lower()
        if not colon or word[0] == '"' or value.startswith("//"):
            self.stands_alone |= alone
            return atom(self.world, word)
        self.stands_alone |= alone and name in ALONE
        if word.lower() in KINDS:
            return KINDS[word.lower()]
        if word.lower() == "is:verified":
            return lambda post: self.world.authors[post.author_id].blue
        if name == "from" and value.isdecimal():
            return lambda post: post.author_id == int(value)
        if name in NUMBERED:
            return NUMBERED[name](_number(value))
        if name in SAME:
            return atom(self.world, word)
        raise self._wrong(
            f"Reference to invalid operator '{name}'. Operator is not available in current product or product "
            f"packaging. Please refer to complete available operator list at {CATALOGUE}. (at position 1)"
        )

    def _wrong(self, why: str) -> Exception:
        return invalid("query", self.text, f"There were errors processing your request: {why}")


def find(world: World, text: str, first: int, end: int) -> list[Post]:
    """Posts with ids from `first` to below `end` that a query finds, newest first."""
    match = Query(world, text).parse()
    return [post for post in world.newest if first <= post.id < end and match(post)]
