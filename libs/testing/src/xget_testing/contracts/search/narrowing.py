"""Filters, facets, pieces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from xget_contracts.items import Media
from xget_kernel.errors import Invalid
from xget_testing.contracts.pages import START
from xget_testing.contracts.search.base import SearchSuite


class Narrowing(SearchSuite):
    """What stands beside the text."""

    async def test_filters_narrow_and_combine(self, index: Any) -> None:
        photo = [Media(type="photo", url="https://e.test/1")]
        await index.index(
            [
                self.item(1, "word", lang="en", author_username="Ada", media=photo),
                self.item(2, "word", lang="zh", author_username="Bob", kind="user"),
                self.item(3, "word", lang="en", author_username="ADA", seen_by={"owner-2": ["t2"]}),
                self.item(4, "word", lang="en", seen_by={"owner-1": ["t4"], "owner-2": ["t2"]}, created_at=None),
            ]
        )
        for text in ("word", None, "-other"):
            assert await self.found(index, text) == ["x:1", "x:2", "x:3", "x:4"]
            assert await self.found(index, text, owner="owner-1") == ["x:1", "x:2", "x:4"]
            assert await self.found(index, text, owner="owner-2", task_id="t2") == ["x:3", "x:4"]
            assert await self.found(index, text, owner="owner-1", task_id="t2") == []
            assert await self.found(index, text, task_id="t2") == ["x:3", "x:4"]
            assert await self.found(index, text, author="aDa") == ["x:1", "x:3"]
            assert await self.found(index, text, owner="owner-1", author="ada", lang="en") == ["x:1"]
            assert await self.found(index, text, kind="user", platform="x") == ["x:2"]
            assert await self.found(index, text, has_media=True) == ["x:1"]
            since, until = START - timedelta(hours=2), START - timedelta(hours=1)
            assert await self.found(index, text, since=since, until=until) == ["x:2"]
            assert await self.found(index, text, since=START) == ["x:4"]

    async def test_facets_cover_everything_that_is_found(self, index: Any) -> None:
        await index.index(
            [self.item(n, "word", lang="en" if n % 2 else "zh", author_username=f"User{n % 3}") for n in range(30)]
        )
        page = await index.search(self.ports.SearchQuery(text="word", size=2))
        assert page.total == 30
        assert page.facets["lang"] == {"en": 15, "zh": 15}
        assert page.facets["author"] == {"user0": 10, "user1": 10, "user2": 10}
        assert page.facets["day"] == {"2026-07-01": 13, "2026-06-30": 17}

    @pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
    @pytest.mark.parametrize("text", ["word", None])
    async def test_pieces_cover_everything_once(self, index: Any, sort: str, text: str | None) -> None:
        moments = [START - timedelta(minutes=n // 4) for n in range(23)]
        await index.index([self.item(n, "word " * (n % 3 + 1), created_at=moments[n]) for n in range(23)])
        keys: list[str] = []
        after = None
        while True:
            page = await index.search(self.ports.SearchQuery(text=text, sort=sort, size=5, after=after))
            assert page.total == 23
            keys += page.keys
            after = page.cursor
            if after is None:
                break
        assert len(keys) == len(set(keys)) == 23
        found = [moments[int(key.removeprefix("x:"))] for key in keys]
        if sort != "relevance":
            assert found == sorted(found, reverse=sort == "newest")

    async def test_texts_that_say_it_more_come_first(self, index: Any) -> None:
        await self.texts(index, "cat " + "dog " * 30, "cat cat cat", "dog")
        page = await index.search(self.ports.SearchQuery(text="cat"))
        assert page.keys == ["x:1", "x:0"]

    @pytest.mark.parametrize("after", [[], ["a"], [-1], [1, 2, 3], {"a": 1}, 5, [2**70, 1], [None, None], "xy"])
    @pytest.mark.parametrize("sort", ["relevance", "newest"])
    async def test_a_foreign_cursor_is_invalid(self, index: Any, after: Any, sort: str) -> None:
        await self.texts(index, "word")
        with pytest.raises(Invalid):
            await index.search(self.ports.SearchQuery(text="word", sort=sort, after=after))
