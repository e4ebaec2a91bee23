"""X's search syntax in the words of API v2: there a blank binds tighter than OR, and operators are others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from xget_sources.ports import NotOffered

LONGEST: Final = 512
"""Characters that the API takes on every plan."""
_TOKEN = re.compile(r'-?\(|\)|-?(?:[A-Za-z_]+:)?"[^"]*"|[^\s()"]+')
_FILTERS: Final = {
    "replies": "is:reply",
    "quote": "is:quote",
    "retweets": "is:retweet",
    "nativeretweets": "is:retweet",
    "links": "has:links",
    "media": "has:media",
    "images": "has:images",
    "twimg": "has:images",
    "videos": "has:videos",
    "native_video": "has:videos",
    "hashtags": "has:hashtags",
    "mentions": "has:mentions",
    "blue_verified": "is:verified",
}
_SAME: Final = frozenset({"from", "to", "url", "lang", "list", "conversation_id"})
_OWN: Final = frozenset(
    {"is", "has", "context", "entity", "place", "place_country", "point_radius", "bounding_box", "retweets_of"}
    | {"in_reply_to_tweet_id", "quotes_of_tweet_id", "retweets_of_tweet_id", "bio", "bio_name", "bio_location"}
)
"""Operators that only the API has; people may write them, too."""
_LACKING: Final = frozenset({"min_faves", "min_retweets", "min_replies", "near", "within", "geocode", "filter", "card"})
_TIMES: Final = frozenset({"since", "until", "since_time", "until_time", "since_id", "max_id"})


class ApiQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query and the window that the API takes beside it."""

    text: str
    since: datetime | None = None
    until: datetime | None = None
    since_id: str | None = None
    until_id: str | None = None
    """Excluded, other than X's `max_id:`."""

    @property
    def bounds(self) -> dict[str, str]:
        """Ids as the API's parameters."""
        found = {"since_id": self.since_id, "until_id": self.until_id}
        return {name: value for name, value in found.items() if value is not None}


def translated(query: str) -> ApiQuery:
    """A query in X's own syntax for the API. Raises NotOffered for what the API cannot be asked."""
    reader = _Reader(query)
    text = reader.read()
    if not reader.reposts:
        text = f"{text} -is:retweet"
    if len(text) > LONGEST:
        raise NotOffered(f"X's API takes queries of {LONGEST} characters; this one has {len(text)} in its words.")
    return ApiQuery(
        text=text,
        since=reader.since,
        until=reader.until,
        since_id=reader.ids.get("since_id"),
        until_id=str(int(reader.ids["max_id"]) + 1) if "max_id" in reader.ids else None,
    )


class _Reader:
    """Reads X's syntax: OR binds tighter than a blank, so each choice gets brackets."""

    def __init__(self, query: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(query)
        self.at = 0
        self.depth = 0
        self.reposts = False
        self.since: datetime | None = None
        self.until: datetime | None = None
        self.ids: dict[str, str] = {}

    def read(self) -> str:
        found = " ".join(self._parts())
        if not found:
            raise NotOffered("X's API needs words, a tag or a user to look for, not only times.")
        return found

    def _parts(self) -> Iterator[str]:
        while self.at < len(self.tokens) and self.tokens[self.at] != ")":
            choice = [self._term()]
            while self.at < len(self.tokens) and self.tokens[self.at] == "OR":
                self.at += 1
                if self.at < len(self.tokens) and self.tokens[self.at] != ")":
                    choice.append(self._term(chosen=True))
            sides = [side for side in choice if side]
            if len(sides) > 1:
                yield f"({' OR '.join(sides)})"
            elif sides:
                yield sides[0]

    def _term(self, *, chosen: bool = False) -> str:
        word = self.tokens[self.at]
        self.at += 1
        chosen = chosen or (self.at < len(self.tokens) and self.tokens[self.at] == "OR")
        if word in ("(", "-("):
            self.depth += 1
            parts = list(self._parts())
            self.depth -= 1
            self.at += 1
            inner = parts[0][1:-1] if len(parts) == 1 and parts[0].startswith("(") else " ".join(parts)
            return f"{word}{inner})" if inner else ""
        if word in ("OR", "AND"):
            return ""
        minus, plain = ("-", word[1:]) if word[0] == "-" and len(word) > 1 else ("", word)
        name, colon, value = plain.partition(":")
        if not colon or plain[0] == '"':
            return minus + plain
        return self._operator(minus, name.lower(), value, chosen=chosen)

    def _operator(self, minus: str, name: str, value: str, *, chosen: bool) -> str:
        if name in _TIMES:
            return self._time(name, value, alone=not (minus or chosen or self.depth))
        if name == "include":
            self.reposts |= value in ("nativeretweets", "retweets")
            return ""
        if name == "filter" and value.lower() in _FILTERS:
            word = _FILTERS[value.lower()]
            self.reposts |= word == "is:retweet"
            return minus + word
        if name == "quoted_tweet_id":
            return f"{minus}quotes_of_tweet_id:{value}"
        if name in _SAME or name in _OWN:
            self.reposts |= name == "is" and value == "retweet"
            return f"{minus}{name}:{value}"
        if name in _LACKING:
            raise NotOffered(
                f"X's API has no operator {name}: as in {name}:{value}. Leave it out, or ask by x_session."
            )
        return f'{minus}"{name}:{value}"'

    def _time(self, name: str, value: str, *, alone: bool) -> str:
        if not alone:
            raise NotOffered(f"X's API takes {name}: for the whole query only, not within a choice or with a minus.")
        if name in ("since_id", "max_id"):
            if not value.isdecimal():
                raise NotOffered(f"{name}:{value} is no number of a post.")
            self.ids[name] = value
            return ""
        try:
            moment = (
                datetime.fromtimestamp(int(value), UTC)
                if name.endswith("_time")
                else datetime.strptime(value[:10].replace("_", "-"), "%Y-%m-%d").replace(tzinfo=UTC)
            )
        except (ValueError, OverflowError, OSError):
            raise NotOffered(f"{name}:{value} is no time that X's API could be asked for.") from None
        if name.startswith("since"):
            self.since = max(self.since, moment) if self.since else moment
        else:
            self.until = min(self.until, moment) if self.until else moment
        return ""


def stamp(moment: datetime) -> str:
    """A time as the API takes it, whole seconds, never later than the moment."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_after(moment: datetime) -> str:
    """As `stamp`, never earlier."""
    return stamp(moment if not moment.microsecond else moment + timedelta(seconds=1))
