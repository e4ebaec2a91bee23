"""What the index keeps, in whatever order it hears of it."""

from __future__ import annotations

from typing import Any

from xget_testing.contracts.search.base import SearchSuite


class Keeping(SearchSuite):
    """Revisions, deletions, owners that change."""

    async def test_a_newer_revision_replaces_and_an_older_is_ignored(self, index: Any) -> None:
        await index.index([self.item(1, "second", rev=2)])
        await index.index([self.item(1, "first", rev=1)])
        assert await self.found(index, "second") == ["x:1"]
        assert await self.found(index, "first") == []
        await index.index([self.item(1, "third", rev=3)])
        assert await self.found(index, "second") == []
        assert await self.found(index, "third") == ["x:1"]

    async def test_the_same_again_changes_nothing(self, index: Any) -> None:
        for _ in range(3):
            await index.index([self.item(1, "word"), self.item(1, "word")])
        assert await self.found(index, "word") == ["x:1"]

    async def test_a_deleted_item_stays_out_when_it_arrives_late(self, index: Any) -> None:
        await index.index([self.item(1, "word", rev=1), self.item(2, "word")])
        await index.delete({"x:1": 3, "x:3": 1})
        await index.index([self.item(1, "word", rev=2)])
        assert await self.found(index, "word") == ["x:2"]
        assert await self.found(index, None) == ["x:2"]
        assert await self.found(index, "-none") == ["x:2"]
        page = await index.search(self.ports.SearchQuery(text=None))
        assert page.total == sum(page.facets["day"].values()) == 1

    async def test_an_older_deletion_is_ignored(self, index: Any) -> None:
        await index.index([self.item(1, "word", rev=5)])
        await index.delete({"x:1": 4})
        assert await self.found(index, "word") == ["x:1"]

    async def test_owners_and_tasks_follow_the_revision(self, index: Any) -> None:
        await index.index([self.item(1, "word", seen_by={"owner-1": ["t1"], "owner-2": ["t2"]})])
        await index.index([self.item(1, "word", rev=2, seen_by={"owner-2": ["t2", "t3"]})])
        assert await self.found(index, "word", owner="owner-1") == []
        assert await self.found(index, "word", owner="owner-2", task_id="t3") == ["x:1"]

    async def test_nothing_to_do_is_nothing(self, index: Any) -> None:
        await index.index([])
        await index.delete({})
        assert await self.found(index, None) == []

    async def test_odd_texts_are_indexed(self, index: Any) -> None:
        await self.texts(index, "", "\x00\x01", "a" * 5000, "量" * 3000, "🚀", "e\u0301 \u200b word")
        assert await self.found(index, "word") == ["x:5"]
        assert await self.found(index, "量量") == ["x:3"]
