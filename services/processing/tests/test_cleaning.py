"""Texts come out as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xget_contracts.items import Item, Link
from xget_processing.service.cleaning import clean_item, clean_text

LINKS = [
    Link(short="https://t.co/ab", url="https://example.test/a?x=1&y=2"),
    Link(short="https://t.co/abc", url="https://example.test/c"),
    Link(short="https://t.co/same", url="https://t.co/same"),
    Link(url="https://example.test/none"),
]
ODD = [*LINKS, Link(short="go.test/a-b?c", url="https://example.test/odd")]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a &amp;amp; b &lt;c&gt; &#x27;d&#39;", "a &amp; b <c> 'd'"),
        ("no entity: &copy without end, & alone, &unknown;", "no entity: &copy without end, & alone, &unknown;"),
        ("see https://t.co/ab and https://t.co/abc!", "see https://example.test/a?x=1&y=2 and https://example.test/c!"),
        ("量子https://t.co/ab，中文", "量子https://example.test/a?x=1&y=2，中文"),
        ("https://t.co/abcd stays", "https://t.co/abcd stays"),
        ("  cafe\u0301\n\n", "café"),
        ("a\x00b\x1bc\td", "abc\td"),
        ("", ""),
    ],
)
def test_text_is_decoded_expanded_composed_and_trimmed(raw: str, clean: str) -> None:
    assert clean_text(raw, LINKS) == clean
    assert clean_text(raw, ODD) == clean


def test_short_links_of_other_shapes_are_expanded_too() -> None:
    assert clean_text("(go.test/a-b?c) https://t.co/abc", ODD) == "(https://example.test/odd) https://example.test/c"


def test_the_raw_text_stays_and_cleaning_again_changes_nothing() -> None:
    item = Item(key="x:1", platform="x", native_id="1", text="&amp;lt; https://t.co/ab", links=LINKS)
    for _ in range(2):
        clean_item(item)
        assert item.raw_text == "&amp;lt; https://t.co/ab"
        assert item.text == "&lt; https://example.test/a?x=1&y=2"


@given(st.text())
def test_any_text_can_be_cleaned(text: str) -> None:
    cleaned = clean_text(text, LINKS)
    assert cleaned == cleaned.strip()
    assert "\x00" not in cleaned
