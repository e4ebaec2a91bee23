"""Snippets of a text with the found words marked, computed on the original."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

from xget_storage.service.analysis import Analyzer, Token
from xget_storage.service.queries import ParsedQuery, Term

_AROUND: Final = 60
"""Characters of context on each side of a mark."""
_MOST: Final = 3


def highlight(text: str, query: ParsedQuery, analyzer: Analyzer) -> list[str]:
    """Up to three snippets, `…<em>量子</em>…`: HTML-escaped except for the marks. Empty when nothing is found in it."""
    spans = _merged(_spans(analyzer.tokens(text), query.wanted))
    return [_snippet(text, group) for group in _grouped(spans)[:_MOST]]


def _spans(tokens: Sequence[Token], terms: Sequence[Term]) -> list[tuple[int, int]]:
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(token.text, []).append(place)
    found: list[tuple[int, int]] = []
    for term in terms:
        found.extend(_term_spans(tokens, places, term))
    return found


def _term_spans(tokens: Sequence[Token], places: dict[str, list[int]], term: Term) -> list[tuple[int, int]]:
    if term.prefix and len(term.tokens) == 1:
        wanted = term.tokens[0]
        return [(token.start, _first_character(token)) for token in tokens if token.text.startswith(wanted)]
    spans = []
    last = len(term.tokens) - 1
    for start in places.get(term.tokens[0], ()):
        end = start + last
        if end < len(tokens) and _matches(tokens, start, term):
            spans.append((tokens[start].start, _first_character(tokens[end]) if term.prefix else tokens[end].end))
    return spans


def _matches(tokens: Sequence[Token], start: int, term: Term) -> bool:
    last = len(term.tokens) - 1
    for i, wanted in enumerate(term.tokens):
        found = tokens[start + i].text
        if not (found.startswith(wanted) if term.prefix and i == last else found == wanted):
            return False
    return True


def _first_character(token: Token) -> int:
    """Where a prefix mark ends: a single CJK character was asked for."""
    return token.start + 1


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _grouped(spans: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Marks that are near each other share a snippet."""
    groups: list[list[tuple[int, int]]] = []
    for span in spans:
        if groups and span[0] - groups[-1][-1][1] <= 2 * _AROUND:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _snippet(text: str, marks: list[tuple[int, int]]) -> str:
    start = max(0, marks[0][0] - _AROUND)
    end = min(len(text), marks[-1][1] + _AROUND)
    parts = ["…"] if start else []
    at = start
    for left, right in marks:
        parts += [html.escape(text[at:left]), "<em>", html.escape(text[left:right]), "</em>"]
        at = right
    parts.append(html.escape(text[at:end]))
    if end < len(text):
        parts.append("…")
    return "".join(parts)
