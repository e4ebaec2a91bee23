"""What is wrong with a query that somebody wrote, and where."""

from __future__ import annotations


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
