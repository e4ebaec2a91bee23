"""Marks stand where the words stand in the original."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_storage.service.analysis import Analyzer
from xget_storage.service.highlights import highlight
from xget_storage.service.queries import parse_query


def marked(text: str, query: str) -> list[str]:
    """Snippets of a text for a query."""
    analyzer = Analyzer()
    return highlight(text, parse_query(query, analyzer), analyzer)


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("Tesla发布AI量子计算", "量子", ["Tesla发布AI<em>量子</em>计算"]),
        ("Tesla发布AI量子计算", "AI量子 计算", ["Tesla发布<em>AI量子计算</em>"]),
        ("量子量子", "量子 子量", ["<em>量子量子</em>"]),
        ("计算机算", "算", ["计<em>算</em>机<em>算</em>"]),
        ("ＡＩ & <b>Café</b>", "ai cafe", ["<em>ＡＩ</em> &amp; &lt;b&gt;<em>Café</em>&lt;/b&gt;"]),
        ("㈱テスト", "株", ["<em>㈱</em>テスト"]),
        ("quick brown fox", '"quick brown" -fox', ["<em>quick brown</em> fox"]),
        ("quick fox brown", '"quick brown"', []),
        ("nothing here", "量子", []),
        ("", "a", []),
    ],
)
def test_marks(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


def test_long_texts_are_cut_around_the_marks() -> None:
    text = "a" + " x" * 100 + " needle" + " y" * 200 + " needle" + " z" * 100
    first, second = marked(text, "needle")
    assert first.startswith(("… x", "…x"))
    assert first.endswith("…")
    assert "<em>needle</em>" in second
    assert len(marked(("needle" + " y" * 100 + " ") * 9, "needle")) == 3


@given(text=st.text("量子计算ab <&é㈱\u3099", max_size=40), query=st.text('量子计算ab"- OR', max_size=10))
def test_a_snippet_without_its_marks_is_the_original_escaped(text: str, query: str) -> None:
    for snippet in marked(text, query):
        bare = snippet.strip("…").replace("<em>", "").replace("</em>", "")
        assert html.unescape(bare) in text
        assert snippet.count("<em>") == snippet.count("</em>") > 0
