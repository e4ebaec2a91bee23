"""Embedded and real search find the same, whatever is written and whatever is asked."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xget_contracts.items import Card, Media
from xget_storage.adapters.elastic_search import ElasticSearch
from xget_storage.adapters.sqlite_search import SqliteSearch
from xget_storage.models import StoredItem
from xget_storage.ports import ItemFilter, SearchIndex, SearchPage, SearchQuery
from xget_storage.service.analysis import Analyzer
from xget_testing.contracts.pages import START
from xget_testing.elastic import fresh_prefix

_WORDS = st.sampled_from(
    [
        "量子",
        "量子计算",
        "计",
        "算机",
        "AI",
        "ai",
        "ＡＩ",
        "café",
        "CAFÉ",
        "東京タワー",
        "ﾀﾜｰ",
        "ーの",
        "서울은",
        "울",
        "🚀",
        "🚀🚀",
        "👩\u200d👩\u200d👧",
        "🇨🇳",
        "❤️",
        "don't",
        "#tag",
        "@user",
        "x1",
        "Straße",
        "ss",
        "ﬁne",
        "ไทย",
        "हिन्दी",
        "العربية",
        "שלום",
        "Привет",
        "ΣΊΣΥΦΟΣ",
        "𠀀𠀁",
        "𠀀",
        "𝔘𝔫𝔦",
        "½",
        "²",
        "℡",
        "Ⅳ",
        "a_b",
        "a-b",
        "100%",
        "¿que?",
        "々",
        "〇",
        "ゔ",
        "㍿",
        "가",
        "가",
        "İstanbul",
        "ı",
        "ǅ",
    ]
)
_SMALL = st.text(st.sampled_from("量子计算 机東京タサ울 aAé!🚀𠀀_-'\"\u200b\u3000"), max_size=12)
_TEXT = st.one_of(
    st.lists(_WORDS, max_size=8).map(" ".join), st.lists(_WORDS, max_size=6).map("".join), _SMALL, st.text(max_size=20)
)
_PLACED = st.tuples(st.sampled_from(["", "", "-"]), st.sampled_from(["", '"']), _TEXT)
_QUERY = st.one_of(
    _TEXT,
    st.lists(st.one_of(_PLACED.map(lambda p: f"{p[0]}{p[1]}{p[2]}{p[1]}"), st.just("OR")), min_size=1, max_size=5).map(
        " ".join
    ),
)
_ITEM = st.fixed_dictionaries(
    {
        "text": _TEXT,
        "hashtags": st.lists(_WORDS, max_size=2),
        "alt": st.one_of(st.none(), _TEXT),
        "title": st.one_of(st.none(), _TEXT),
        "lang": st.sampled_from([None, "en", "zh", "ja"]),
        "author": st.sampled_from([None, "Ada", "ADA", "bob"]),
        "hours": st.integers(-60, 3),
        "owner": st.sampled_from(["owner-1", "owner-2"]),
    }
)
_FILTER = st.sampled_from(
    [
        {},
        {"owner": "owner-1"},
        {"owner": "owner-2", "task_id": "t1"},
        {"lang": "zh", "author": "ada"},
        {"has_media": False},
    ]
)
_numbers = count(1)


@dataclass
class Both:
    """The two indexes, and the keys of what stands in them now."""

    embedded: SqliteSearch
    real: ElasticSearch
    revs: dict[str, int]

    async def hold(self, given: list[dict[str, Any]]) -> None:
        """Make these the only items of both."""
        items = [_item(number, fields, rev=next(_numbers)) for number, fields in enumerate(given)]
        gone = {f"x:{n}": next(_numbers) for n in range(len(items), len(self.revs))}
        self.revs = {item.key: item.rev for item in items} | gone
        both: tuple[SearchIndex, ...] = (self.embedded, self.real)
        for index in both:
            await index.index(items)
            await index.delete(gone)

    async def agree(self, query: SearchQuery) -> None:
        """Ask both."""
        for sort in ("relevance", "newest", "oldest"):
            asked = replace(query, sort=sort)
            embedded, real = await self.embedded.search(asked), await self.real.search(asked)
            assert (real.total, real.facets) == (embedded.total, embedded.facets)
            assert sorted(real.keys) == sorted(embedded.keys)
            if sort != "relevance":
                assert real.keys == embedded.keys


def _item(number: int, given: dict[str, Any], rev: int) -> StoredItem:
    media = [] if given["alt"] is None else [Media(type="photo", url="https://e.test/1", alt_text=given["alt"])]
    return StoredItem(
        key=f"x:{number}",
        platform="x",
        native_id=str(number),
        text=given["text"],
        hashtags=given["hashtags"],
        media=media,
        card=None if given["title"] is None else Card(type="summary", title=given["title"]),
        lang=given["lang"],
        author_username=given["author"],
        created_at=None if given["hours"] > 0 else START + timedelta(hours=given["hours"]),
        first_seen=START,
        last_seen=START,
        content_at=START,
        source="x",
        seen_by={given["owner"]: ["t1"]},
        rev=rev,
    )


@pytest.fixture
async def both(elasticsearch_url: str, tmp_path: Path) -> AsyncIterator[Both]:
    analyzer = Analyzer()
    embedded = SqliteSearch(tmp_path / "search.db", analyzer)
    async with fresh_prefix(elasticsearch_url) as prefix:
        real = ElasticSearch(elasticsearch_url, analyzer, prefix=prefix, refresh=True)
        await real.open()
        yield Both(embedded, real, {})
        await real.close()
        await embedded.close()


_EXAMPLES = 300 if os.environ.get("XGET_SOAK") == "1" else 60
_MANY = settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.connected("elasticsearch")
@_MANY
@given(
    held=st.lists(_ITEM, min_size=1, max_size=6),
    queries=st.lists(st.tuples(_QUERY, _FILTER), min_size=1, max_size=6),
    data=st.data(),
)
async def test_any_query_over_any_texts(
    both: Both, held: list[dict[str, Any]], queries: list[Any], data: st.DataObject
) -> None:
    await both.hold(held)
    text = data.draw(st.sampled_from(held))["text"]
    start = data.draw(st.integers(0, len(text)))
    piece = text[start : data.draw(st.integers(start, len(text)))]
    for asked, wanted in [*queries, (piece, {}), (f'"{piece}"', {}), (f"-{piece}", {}), (None, {})]:
        await both.agree(SearchQuery(text=asked, wanted=ItemFilter(**wanted), size=10))


@pytest.mark.connected("elasticsearch")
async def test_long_words_long_queries_and_rare_characters(both: Both) -> None:
    texts = [
        "𝔘" * 150,
        "𐐀" * 200,
        "𐐀" * 199 + "a",
        "a" * 300,
        "量" * 2100,
        "word " * 1500,
        "𠀀𠀁 word",
        "x 𠀀",
        "١٢٣ ๑๒",
        "\ue000 \ue000",
    ]
    base = {"hashtags": [], "alt": None, "title": None, "lang": "en", "author": None, "hours": 0, "owner": "owner-1"}
    await both.hold([base | {"text": text} for text in texts])
    for query in [
        *texts,
        '"x 𠀀',
        "𠀀",
        "𐐀" * 198,
        "a" * 201,
        "量" * 1999,
        " ".join(f"a{n}" for n in range(400)),
        "-量 " * 70,
        '"\ue000"',
    ]:
        await both.agree(SearchQuery(text=query, size=20))


@pytest.mark.connected("elasticsearch")
async def test_cursors_and_facets_are_the_same_for_many_items(both: Both) -> None:
    base = {"hashtags": [], "alt": None, "title": None, "owner": "owner-1"}
    await both.hold(
        [
            base | {"text": f"word {n % 7}", "lang": f"l{n % 60}", "author": f"User{n % 130}", "hours": -7 * (n // 3)}
            for n in range(600)
        ]
    )
    for sort in ("newest", "oldest"):
        after = None
        while True:
            query = SearchQuery(text="word", sort=sort, size=100, after=after)  # type: ignore[arg-type]  # one of the three
            pages: list[SearchPage] = [await both.embedded.search(query), await both.real.search(query)]
            assert pages[0] == pages[1]
            after = pages[0].cursor
            if after is None:
                break
