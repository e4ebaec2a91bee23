"""Text as search sees it: one tokeniser for indexing, queries and highlights, so that they always agree.

Characters are folded one by one (compatibility forms, case, accents), so that every token knows where in the original
it stands. A word is one token; a run of Chinese, Japanese or Korean becomes its overlapping pairs and then its last
character alone. Thus every character of a run starts exactly one token: a word of two or more characters is a phrase
of pairs, a single character is a prefix, and neither needs a dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from operator import add
from typing import Final, NamedTuple

from xget_storage.models import StoredItem

_CJK: Final = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u30fc-\u30ff\u3105-\u312f\u3130-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003fffd"
)
_SYMBOL: Final = "\u2600-\u27bf\U0001f000-\U0001faff"
_TOKENS: Final = re.compile(f"(?P<cjk>[{_CJK}]+)|(?P<symbol>[{_SYMBOL}])|(?P<word>[^\\W_{_CJK}{_SYMBOL}]+)")
_CJK_ONLY: Final = re.compile(f"[{_CJK}]+")
_LONGEST_WORD: Final = 200
_BETWEEN: Final = " \ue000 "
"""A private-use character that no text yields as a token."""
_NOT_TEXT: Final = re.compile("[\ud800-\udfff]")


class _Folding(dict[int, str]):
    """Code point → its folded form; filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


class _Cutting(dict[int, str]):
    """Code point → its folded form, with spaces for what is no part of a token and around symbols."""

    def __missing__(self, code: int) -> str:
        parts = []
        for char in _fold_character(chr(code)):
            found = _TOKENS.match(char)
            parts.append(" " if found is None else f" {char} " if found.lastgroup == "symbol" else char)
        cut = self[code] = "".join(parts)
        return cut


def _fold_character(char: str) -> str:
    apart = unicodedata.normalize("NFKD", char)
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFKC", bare.casefold())


def searchable(item: StoredItem) -> list[str]:
    """The parts of an item that search looks into; its text comes first."""
    shown = item.visible()
    parts: list[str | None] = [shown.text, " ".join(f"#{tag}" for tag in shown.hashtags)]
    if shown.card is not None:
        parts += [shown.card.title, shown.card.description]
    parts += [media.alt_text for media in shown.media]
    if shown.kind == "user":
        parts += [shown.author_name, shown.author_username]
    return [part for part in parts if part]


class Token(NamedTuple):
    """A token and the half-open range of the original text that it stands for."""

    text: str
    start: int
    end: int
    single: bool
    """True for the last (or only) character of a CJK run."""


class Analyzer:
    """Folds and splits text. Keeps a table of folded characters, so make one and share it."""

    def __init__(self) -> None:
        self._folding = _Folding()
        self._cutting = _Cutting()

    def fold(self, text: str) -> str:
        """Folded text, for storing and comparing whole values."""
        return text.translate(self._folding)

    def terms(self, text: str) -> str:
        """The tokens of a text to index, separated by spaces."""
        out: list[str] = []
        for word in text.translate(self._cutting).split(" "):
            if word.isascii():
                if word:
                    out.append(word if len(word) <= _LONGEST_WORD else word[:_LONGEST_WORD])
            elif _CJK_ONLY.fullmatch(word):
                out += map(add, word, word[1:])
                out.append(word[-1])
            else:
                out += _runs(word)
        return " ".join(out)

    def item_terms(self, item: StoredItem) -> str:
        """The tokens of all that can be found of an item; no phrase reaches from one part into the next."""
        return _BETWEEN.join(self.terms(part) for part in searchable(item))

    def tokens(self, text: str) -> list[Token]:
        """The same tokens with their places in the original."""
        folded, places = self._fold_with_places(text)
        found: list[Token] = []
        for match in _TOKENS.finditer(_NOT_TEXT.sub(" ", folded)):
            found.extend(_split(match, places))
        return found

    def _fold_with_places(self, text: str) -> tuple[str, list[int]]:
        parts: list[str] = []
        places: list[int] = []
        for place, char in enumerate(text):
            folded = self._folding[ord(char)]
            parts.append(folded)
            places.extend([place] * len(folded))
        return "".join(parts), places


def _runs(text: str) -> Iterator[str]:
    for found in _TOKENS.finditer(text):
        run = found.group()
        if found.lastgroup == "cjk":
            yield from map(add, run, run[1:])
            yield run[-1]
        else:
            yield run[:_LONGEST_WORD]


def _split(match: re.Match[str], places: list[int]) -> Iterator[Token]:
    start, end = match.span()
    run = match.group()
    if match.lastgroup != "cjk":
        yield Token(run[:_LONGEST_WORD], places[start], places[end - 1] + 1, False)
        return
    for i in range(len(run)):
        at = start + i
        last = i == len(run) - 1
        yield Token(run[i : i + 2], places[at], places[at] + 1 if last else places[at + 1] + 1, last)
