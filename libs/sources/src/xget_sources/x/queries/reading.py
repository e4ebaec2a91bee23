"""What is wrong or odd with a query that somebody wrote, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from xget_sources.x.fields import MAX_TEXT

_TOKEN = re.compile(r'"[^"]*"|[()]|[^\s()"]+')
_EMPTY = frozenset({"-", '""'})


def check_size(query: Any) -> Any:
    """The query itself. Raises ValueError for one that is longer than X takes, with the place of the first too many."""
    if type(query) is str and len(query) > MAX_TEXT:
        raise ValueError(
            f"is too long: it has {len(query)} characters, X takes {MAX_TEXT}; "
            f"character {MAX_TEXT + 1} is the first too many"
        )
    return query


def oddities(query: str) -> Iterator[str]:
    """Sentences about what X takes and what says nothing: a choice with one side, a minus alone, no words at all."""
    found = [(match.start() + 1, match.group()) for match in _TOKEN.finditer(query)]
    tokens = ["(", *(word for _, word in found), ")"]
    for n, (place, word) in enumerate(found, 1):
        if word == "OR" and (tokens[n - 1] in ("(", "OR") or tokens[n + 1] in (")", "OR")):
            yield f"OR at character {place} of the query has nothing to choose from on one side."
        elif word in _EMPTY and not (word == "-" and query[place : place + 1] in ('"', "(")):
            yield f"{word} at character {place} of the query stands for nothing."
    if all(word in ("(", ")", "OR", "AND", *_EMPTY) for word in tokens):
        yield "The query has no word to look for: X will find nothing."


def check_balance(query: str) -> str:
    """The query itself. Raises ValueError with the position, from 1, of a quote or bracket without its partner."""
    open_brackets: list[int] = []
    quote = 0
    for place, character in enumerate(query, 1):
        if character == '"':
            quote = 0 if quote else place
        elif quote:
            continue
        elif character == "(":
            open_brackets.append(place)
        elif character == ")":
            if not open_brackets:
                raise ValueError(f"the bracket ) at character {place} closes nothing")
            opened = open_brackets.pop()
            if not query[opened : place - 1].strip():
                raise ValueError(f"the brackets at character {opened} hold nothing")
    if quote:
        raise ValueError(f'the quote " at character {quote} is never closed')
    if open_brackets:
        raise ValueError(f"the bracket ( at character {open_brackets[-1]} is never closed")
    return query
