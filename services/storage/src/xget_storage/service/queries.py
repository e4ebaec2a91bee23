"""What people type into the search box, and what it means.

Words must all occur, `"phrases"` in that order, `-word` must not; `OR` between two joins them into one choice. A word
that is several tokens (`量子计算`, `don't`) is a phrase of them. Everything else is punctuation: no input is an error.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from xget_storage.service.analysis import Analyzer, Token

_PARTS: Final = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"()]+))')
_MOST_TERMS: Final = 64
_LONGEST: Final = 2000
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„‟＂「」『』", '"'))


class Term(msgspec.Struct, frozen=True):
    """Tokens that must follow each other; the last may be the beginning of a longer one."""

    tokens: tuple[str, ...]
    prefix: bool = False


class ParsedQuery(msgspec.Struct, frozen=True):
    """All of `groups` (each: any of its terms) and none of `excluded`."""

    groups: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...]

    @property
    def is_empty(self) -> bool:
        return not self.groups and not self.excluded

    @property
    def wanted(self) -> list[Term]:
        """Terms to highlight."""
        return [term for group in self.groups for term in group]


def parse_query(text: str, analyzer: Analyzer) -> ParsedQuery:
    """Read a query; never raises. At most 2,000 characters and 64 terms count."""
    groups: list[list[Term]] = []
    excluded: list[Term] = []
    joining = False
    for minus, phrase, word in _PARTS.findall(text[:_LONGEST].translate(_QUOTES)):
        if word in ("OR", "AND") and not minus:
            joining = word == "OR" and bool(groups)
            continue
        term = _term(analyzer.tokens(phrase or word))
        if term is None or len(groups) + len(excluded) >= _MOST_TERMS:
            continue
        if minus:
            excluded.append(term)
        elif joining:
            groups[-1].append(term)
        else:
            groups.append([term])
        joining = False
    return ParsedQuery(tuple(tuple(group) for group in groups), tuple(excluded))


def _term(tokens: list[Token]) -> Term | None:
    if not tokens:
        return None
    texts = tuple(token.text for token in tokens)
    if not tokens[-1].single:
        return Term(texts)
    if len(tokens) > 1 and not tokens[-2].single and tokens[-2].text.endswith(texts[-1]) and len(tokens[-2].text) == 2:
        return Term(texts[:-1])
    return Term(texts, prefix=True)
