"""Building the index again from the documents, while it is used."""

from __future__ import annotations

from typing import Any

import pytest

from xget_kernel.errors import Conflict
from xget_testing.contracts.search.base import SearchSuite


class Rebuilding(SearchSuite):
    """`other` is a second index object on the same data, as another process has it."""

    async def test_a_rebuilt_index_has_what_the_documents_have_and_nothing_else(self, index: Any) -> None:
        await index.index([self.item(1, "stale"), self.item(2, "word"), self.item(3, "word"), self.item(4, "word")])
        async with index.rebuilding() as rebuild:
            assert rebuild.after is None
            await rebuild.take({"x:1": self.item(1, "word"), "x:3": 5})
            await rebuild.take({"x:4": self.item(4, "word", rev=2), "x:5": self.item(5, "word")})
            assert rebuild.after == "x:5"
            await rebuild.finish()
        assert await self.found(index, "word") == ["x:1", "x:4", "x:5"]
        assert await self.found(index, None) == ["x:1", "x:4", "x:5"]
        assert await self.found(index, "stale") == []
        await index.index([self.item(3, "word", rev=4)])
        assert await self.found(index, "word") == ["x:1", "x:4", "x:5"]

    async def test_what_is_written_meanwhile_is_found_at_once_and_kept(self, index: Any, other: Any) -> None:
        await index.index([self.item(n, "word") for n in range(4)])
        await other.index([self.item(8, "word")])
        async with index.rebuilding() as rebuild:
            await other.index([self.item(0, "newer", rev=3), self.item(9, "late")])
            await other.delete({"x:1": 2})
            assert await self.found(other, "word OR newer OR late") == ["x:0", "x:2", "x:3", "x:8", "x:9"]
            await rebuild.take({f"x:{n}": self.item(n, "word") for n in range(4)})
            await other.index([self.item(2, "newer", rev=2)])
            await other.delete({"x:3": 2, "x:7": 1})
            await rebuild.take({"x:8": self.item(8, "word")})
            assert await self.found(other, "word OR newer OR late") == ["x:0", "x:2", "x:8", "x:9"]
            await rebuild.finish()
        for asked in (index, other):
            assert await self.found(asked, "word") == ["x:8"]
            assert await self.found(asked, "newer") == ["x:0", "x:2"]
            assert await self.found(asked, None) == ["x:0", "x:2", "x:8", "x:9"]
        await other.index([self.item(7, "word"), self.item(6, "word")])
        assert await self.found(index, "word") == ["x:6", "x:8"]

    async def test_a_rebuild_that_was_left_serves_the_old_and_goes_on_where_it_was(
        self, index: Any, other: Any
    ) -> None:
        await index.index([self.item(1, "word"), self.item(2, "word"), self.item(3, "old")])
        async with index.rebuilding() as rebuild:
            await rebuild.take({"x:1": self.item(1, "word")})
        assert await self.found(index, None) == ["x:1", "x:2", "x:3"]
        await other.index([self.item(1, "newer", rev=2), self.item(4, "word")])
        assert await self.found(index, None) == ["x:1", "x:2", "x:3", "x:4"]
        async with other.rebuilding() as rebuild:
            assert rebuild.after == "x:1"
            await rebuild.take({"x:2": self.item(2, "word")})
            await rebuild.finish()
        assert await self.found(index, None) == ["x:1", "x:2", "x:4"]
        assert await self.found(index, "newer") == ["x:1"]

    async def test_one_rebuild_at_a_time(self, index: Any, other: Any) -> None:
        async with index.rebuilding() as rebuild:
            await rebuild.take({"x:1": self.item(1, "word")})
            with pytest.raises(Conflict):
                async with other.rebuilding():
                    raise AssertionError("two rebuild at once")
            await rebuild.finish()
        assert await self.found(other, "word") == ["x:1"]
        async with other.rebuilding() as rebuild:
            assert rebuild.after is None
            await rebuild.take({})
            await rebuild.finish()
        assert await self.found(index, None) == []
