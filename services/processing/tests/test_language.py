"""The platform is believed first, then the script, then the model."""

from __future__ import annotations

import pytest

from xget_contracts.items import Item
from xget_processing.adapters.langdetect import FastLangdetect
from xget_processing.service.language import LanguageRules


def language(text: str, lang: str | None = None) -> str | None:
    """What the rules say with the real model."""
    return LanguageRules(FastLangdetect()).of(Item(key="x:1", platform="x", native_id="1", text=text, lang=lang))


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("今天的量子计算", "en", "en"),
        ("今天的量子计算", None, "zh"),
        ("今天的量子计算 AI model", "und", "zh"),
        ("量子コンピュータの話", "qme", "ja"),
        ("오늘은 맑음", None, "ko"),
        ("Das ist ein ganz normaler deutscher Satz über Züge.", "und", "de"),
        ("Bonjour tout le monde, comment allez-vous aujourd'hui ?", "zxx", "fr"),
        ("The quick brown fox jumps over the lazy dog", None, "en"),
        ("https://example.test/das-ist-ein-satz @someone #tag", "zxx", "zxx"),
        ("ok", None, None),
        ("", None, None),
        ("🚀🚀 123", "qht", "qht"),
    ],
)
def test_language(text: str, lang: str | None, expected: str | None) -> None:
    assert language(text, lang) == expected
