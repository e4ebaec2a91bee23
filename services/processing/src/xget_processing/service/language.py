"""The language of a text: what the platform says, else what the script says, else what a model says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from xget_contracts.items import Item

Detect = Callable[[str], str | None]
"""Text → language code, None when it cannot tell."""

_NO_LANGUAGE: Final = frozenset({"und", "zxx", "mis", "mul", "art", "qam", "qct", "qht", "qme", "qst"})
"""Codes that name no language; X has some of its own for posts of only tags, mentions, media or links."""
_NOT_WORDS: Final = re.compile(r"https?://\S+|[@#＠＃]\w+")
_KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff]")
_HANGUL: Final = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS: Final = 8
_HAN_SHARE: Final = 0.2


class LanguageRules:
    """Decides on languages; the model is asked last, and only about texts long enough to tell."""

    def __init__(self, detect: Detect) -> None:
        self._detect = detect

    def of(self, item: Item) -> str | None:
        """The item's language; the platform's code stays when nothing better is known."""
        if item.lang and item.lang not in _NO_LANGUAGE:
            return item.lang
        words = " ".join(_NOT_WORDS.sub(" ", item.text).split())
        return _by_script(words) or self._by_model(words) or item.lang

    def _by_model(self, words: str) -> str | None:
        letters = len(_LETTER.findall(words))
        return self._detect(words) if letters >= _FEWEST_LETTERS else None


def _by_script(words: str) -> str | None:
    letters = len(_LETTER.findall(words))
    if not letters:
        return None
    han, kana, hangul = (len(script.findall(words)) for script in (_HAN, _KANA, _HANGUL))
    if (han + kana + hangul) / letters < _HAN_SHARE:
        return None
    if kana:
        return "ja"
    return "ko" if hangul > han else "zh"
