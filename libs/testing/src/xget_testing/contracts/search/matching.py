"""Which texts a query finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xget_contracts.items import Card, Media
from xget_testing.contracts.search.base import SearchSuite

_NASTY = st.text(st.sampled_from("\"*():^-+{}[]~\\'%_;,.!?#@&|<>= ORANDNT量子aé\x00\u3000\ud83d"), max_size=40)


# One suite on several adapters, and a store that the examples share: each writes what it looks for.
_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


class Matching(SearchSuite):
    """Words, phrases, scripts, and anything people type."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("quantum", ["x:0", "x:1"]),
            ("QUANTUM computing", ["x:0"]),
            ('"quantum leap"', ["x:1"]),
            ('"leap quantum"', []),
            ("quantum -leap", ["x:0"]),
            ('quantum -"quantum leap"', ["x:0"]),
            ("leap OR cats", ["x:1", "x:2"]),
            ("leap OR cats quantum", ["x:1"]),
            ("quantum AND leap", ["x:1"]),
            ("-quantum", ["x:2"]),
            ("quant", []),
            ("don't", ["x:2"]),
            ("cafe", ["x:2"]),
            ("CAFÉ", ["x:2"]),
            ("“quantum leap”", ["x:1"]),
            ("(quantum) [leap]", ["x:1"]),
        ],
    )
    async def test_words_phrases_exclusions_and_choices(self, index: Any, query: str, expected: list[str]) -> None:
        await self.texts(index, "Quantum computing now", "a quantum leap", "Cats don't need a café")
        assert await self.found(index, query) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("量子", ["x:0", "x:1"]),
            ("量子计算", ["x:0", "x:1"]),
            ("子计", ["x:0", "x:1"]),
            ("计算", ["x:0", "x:1", "x:2"]),
            ("算", ["x:0", "x:1", "x:2"]),
            ("量", ["x:0", "x:1"]),
            ("机", ["x:2"]),
            ("算量", []),
            ("AI量子", ["x:0"]),
            ("ai量子计算", ["x:0"]),
            ("ＡＩ 计算机", ["x:2"]),
            ("AI", ["x:0", "x:2"]),
            ("量子AI", []),
            ("计算 -机", ["x:0", "x:1"]),
            ("东京", []),
            ("東京タワー", ["x:3"]),
            ("ﾀﾜｰ", ["x:3"]),
            ("서울", ["x:4"]),
            ("울", ["x:4"]),
        ],
    )
    async def test_chinese_japanese_and_korean_without_a_dictionary(
        self, index: Any, query: str, expected: list[str]
    ) -> None:
        await self.texts(
            index, "AI量子计算突破", "今天的量子计算", "用 AI 做计算机", "東京タワーの夜景", "서울은 오늘 맑음"
        )
        assert await self.found(index, query) == expected

    async def test_no_text_finds_everything_and_text_without_words_nothing(self, index: Any) -> None:
        await self.texts(index, "one", "two")
        assert await self.found(index, None) == ["x:0", "x:1"]
        assert await self.found(index, "…!? *") == []
        assert await self.found(index, "") == []

    async def test_no_word_is_syntax(self, index: Any) -> None:
        await self.texts(index, "near the and or not", "column: text^2", "100% sure_thing")
        assert await self.found(index, "NEAR NOT") == ["x:0"]
        assert await self.found(index, "column:text") == ["x:1"]
        assert await self.found(index, "text^2*") == ["x:1"]
        assert await self.found(index, "100%'--") == ["x:2"]
        assert await self.found(index, '100%" OR "1"="1') == []

    async def test_tags_descriptions_and_cards_are_found_but_no_phrase_across_them(self, index: Any) -> None:
        item = self.item(
            1,
            "the text ends here",
            hashtags=["火箭"],
            media=[Media(type="photo", url="https://e.test/1", alt_text="a red rocket")],
            card=Card(type="summary", title="Launch day", description="A story"),
        )
        await index.index([item, self.item(2, "", kind="user", author_name="Ada Lovelace", author_username="ada")])
        for query in ("火箭", '"red rocket"', "launch story", "#火箭"):
            assert await self.found(index, query) == ["x:1"]
        assert await self.found(index, '"ends here a red"') == []
        assert await self.found(index, "lovelace") == ["x:2"]

    async def test_symbols_stand_for_themselves(self, index: Any) -> None:
        await self.texts(index, "to the moon 🚀🚀", "down to earth 🌍")
        assert await self.found(index, "🚀") == ["x:0"]

    @settings(max_examples=60, deadline=None, suppress_health_check=_CHECKS)
    @given(query=st.one_of(_NASTY, st.text(max_size=60)))
    async def test_no_text_is_an_error(self, index: Any, query: str) -> None:
        await self.texts(index, "AI量子计算 café", "plain words")
        await self.found(index, query, owner="owner-1")

    @settings(max_examples=40, deadline=None, suppress_health_check=_CHECKS)
    @given(text=st.text("量子计算机东京タワ서울 abcé!", min_size=1, max_size=12), data=st.data())
    async def test_every_piece_of_a_chinese_text_finds_it(self, index: Any, text: str, data: Any) -> None:
        await index.index([self.item(1, text, rev=self.next_rev())])
        start = data.draw(st.integers(0, len(text) - 1))
        piece = text[start : data.draw(st.integers(start + 1, len(text)))]
        if not any(char >= "\u3040" for char in piece) or any(char.isascii() or char == "é" for char in piece):
            return
        assert await self.found(index, f'"{piece}"') == ["x:1"]

    _rev = 0

    def next_rev(self) -> int:
        """A revision above all before."""
        type(self)._rev += 1
        return type(self)._rev
