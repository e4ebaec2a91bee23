"""Texts to index, queries and highlights see the same tokens."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xget_storage.service.analysis import Analyzer

_TEXT = st.one_of(
    st.text(),
    st.text(st.characters(max_codepoint=127)),
    st.text("量子计算機タ서울 aÀ🚀𠀀_\u3005\u3000\ud83dＡﾀ₂\u3099", max_size=30),
)


@given(text=_TEXT)
def test_the_terms_of_a_text_are_its_tokens(text: str) -> None:
    analyzer = Analyzer()
    assert analyzer.terms(text).split(" ") == ([token.text for token in analyzer.tokens(text)] or [""])


@given(text=st.text(st.characters(max_codepoint=127)))
def test_plain_text_folds_to_lower_case(text: str) -> None:
    assert Analyzer().fold(text) == text.lower()


def test_long_words_are_cut_in_both() -> None:
    analyzer = Analyzer()
    for text in ("a" * 300 + " b", "é" * 300 + " b", "量" * 300):
        assert analyzer.terms(text).split() == [token.text for token in analyzer.tokens(text)]
