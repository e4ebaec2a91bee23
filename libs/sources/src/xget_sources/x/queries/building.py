"""Search parameters in X's query language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from math import ceil, floor

from xget_sources.x.queries.filters import Filtered

_PLAIN = re.compile(r"[^\s()\":-][^\s()\":]*")
_NOT_PLAIN = frozenset({"OR", "AND", "NOT"})


def query_of(wanted: Filtered) -> str:
    """The query of a search for one target. `OR` binds tighter than a blank; what people wrote stays as it is."""
    return " ".join([*_looked_for(wanted), *_people(wanted), *_places(wanted), *_numbers(wanted), *_kinds(wanted)])


def _looked_for(wanted: Filtered) -> Iterator[str]:
    """What the search is about, by kind of search."""
    # The classes of searches are made of what this package checks: names tell them apart.
    if tag := getattr(wanted, "hashtag", None):
        yield f"#{tag}"
    if post := getattr(wanted, "tweet_id", None):
        yield f"quoted_tweet_id:{post}"
    if written := getattr(wanted, "query", None) or getattr(wanted, "keyword", None):
        yield written
    if words := getattr(wanted, "keywords", None):
        yield " OR ".join(map(term, words))
    yield from map(term, getattr(wanted, "all_words", None) or ())
    yield from map(_phrase, getattr(wanted, "phrases", None) or ())
    yield from _any(map(term, getattr(wanted, "any_words", None) or ()))
    yield from (f"-{term(word)}" for word in getattr(wanted, "none_words", None) or ())


def term(words: str) -> str:
    """A word as it is; several, and what X would read as an operator, in quotes."""
    if _PLAIN.fullmatch(words) and words not in _NOT_PLAIN:
        return words
    return _phrase(words)


def _phrase(words: str) -> str:
    return f'"{" ".join(words.replace(chr(34), " ").split())}"'


def _any(terms: Iterable[str]) -> list[str]:
    found = list(terms)
    return [f"({' OR '.join(found)})"] if len(found) > 1 else found


def _people(wanted: Filtered) -> Iterator[str]:
    yield from _any(f"from:{name}" for name in wanted.from_users or ())
    yield from _any(f"to:{name}" for name in wanted.to_users or ())
    yield from _any(f"@{name}" for name in wanted.mentions or ())


def _places(wanted: Filtered) -> Iterator[str]:
    if wanted.in_list:
        yield f"list:{wanted.in_list}"
    if wanted.in_conversation:
        yield f"conversation_id:{wanted.in_conversation}"
    if wanted.near:
        yield f"near:{_phrase(wanted.near)}"
        if wanted.near_within:
            yield f"within:{wanted.near_within}"


def _numbers(wanted: Filtered) -> Iterator[str]:
    if wanted.min_likes is not None:
        yield f"min_faves:{wanted.min_likes}"
    if wanted.min_retweets is not None:
        yield f"min_retweets:{wanted.min_retweets}"
    if wanted.min_replies is not None:
        yield f"min_replies:{wanted.min_replies}"
    if wanted.since_id:
        yield f"since_id:{wanted.since_id}"
    if wanted.max_id:
        yield f"max_id:{wanted.max_id}"


def _kinds(wanted: Filtered) -> Iterator[str]:
    yield from (f"filter:{kind}" for kind in wanted.has or ())
    if wanted.quotes:
        yield _filter("quote", wanted.quotes)
    if wanted.lang:
        yield f"lang:{wanted.lang.lower()}"
    if wanted.since:
        yield _moment("since", wanted.since)
    if wanted.until:
        yield _moment("until", wanted.until)
    if wanted.no_replies or wanted.replies:
        yield _filter("replies", wanted.replies or "none")
    if wanted.no_retweets or wanted.retweets:
        yield _filter("nativeretweets", wanted.retweets or "none")
    elif wanted.include_retweets:
        yield "include:nativeretweets"


def _filter(kind: str, wish: str) -> str:
    return f"{'-' if wish == 'none' else ''}filter:{kind}"


def _moment(operator: str, moment: datetime) -> str:
    """Whole days by date, finer times in the whole seconds around them."""
    if moment.timetz().replace(tzinfo=None) == time():
        return f"{operator}:{moment:%Y-%m-%d}"
    seconds = moment.timestamp()
    return f"{operator}_time:{ceil(seconds) if operator == 'until' else floor(seconds)}"
