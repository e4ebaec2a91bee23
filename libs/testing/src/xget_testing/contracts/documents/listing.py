"""Lists: filtered, ordered, complete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from xget_contracts.items import Media
from xget_kernel.errors import Invalid
from xget_testing.contracts.pages import START, make_item, make_page


class Lists:
    """`find` and `sighted`."""

    ports: Any

    async def keys(self, store: Any, **wanted: Any) -> list[str]:
        """What a filter finds, newest first."""
        found = await store.find(self.ports.ItemFilter(**wanted), 100)
        assert found.total == len(found.items)
        return [item.key for item in found.items]

    async def test_filters_narrow_and_combine(self, store: Any) -> None:
        photo = [Media(type="photo", url="https://e.test/1.jpg")]
        items = [
            make_item(1, media=photo),
            make_item(2, lang="zh"),
            make_item(3, role="context"),
            make_item(4, kind="user", key="x:user:4"),
        ]
        await store.store_pages([make_page(1, items)], START)
        other = make_page(1, [make_item(9)], execution_id="e9", task_id="t9", owner_id="owner-9")
        await store.store_pages([other], START)
        assert await self.keys(store, owner="owner-1") == ["x:1", "x:2", "x:3", "x:user:4"]
        assert await self.keys(store) == ["x:1", "x:2", "x:3", "x:user:4", "x:9"]
        assert await self.keys(store, owner="owner-1", lang="zh") == ["x:2"]
        assert await self.keys(store, owner="owner-1", author="uSER1") == ["x:1", "x:user:4"]
        assert await self.keys(store, owner="owner-1", kind="user", platform="x") == ["x:user:4"]
        assert await self.keys(store, owner="owner-1", has_media=True) == ["x:1"]
        assert await self.keys(store, owner="owner-1", task_id="t1", role="context") == ["x:3"]
        assert await self.keys(store, owner="owner-1", execution_id="e1", role="match") == ["x:1", "x:2", "x:user:4"]
        assert await self.keys(store, owner="owner-9", task_id="t1") == []
        assert await self.keys(store, task_id="none") == []
        assert await self.keys(store, execution_id="none") == []
        since, until = START - timedelta(minutes=3), START - timedelta(minutes=1)
        assert await self.keys(store, owner="owner-1", since=since, until=until) == ["x:2", "x:3"]

    @pytest.mark.parametrize("wanted", [{}, {"owner": "owner-1"}, {"owner": "owner-1", "task_id": "t1"}])
    async def test_pages_and_cursors_cover_a_list_once(self, store: Any, wanted: dict[str, str]) -> None:
        items = [make_item(n, created_at=START - timedelta(minutes=n // 3)) for n in range(17)]
        await store.store_pages([make_page(1, items)], START)
        filter_ = self.ports.ItemFilter(**wanted)
        by_offset: list[str] = []
        for offset in range(0, 20, 5):
            by_offset += [item.key for item in (await store.find(filter_, 5, offset=offset)).items]
        by_cursor: list[str] = []
        after = None
        while True:
            page = await store.find(filter_, 5, after=after)
            assert page.total == (17 if after is None else 0)
            by_cursor += [item.key for item in page.items]
            after = page.cursor
            if after is None:
                break
        assert by_offset == by_cursor
        assert sorted(by_cursor) == sorted(item.key for item in items)

    async def test_a_task_lists_each_item_once_oldest_sighting_first(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(5), make_item(3, role="context")])], START)
        again = make_page(1, [make_item(3), make_item(5), make_item(1)], execution_id="e2", after=60)
        await store.store_pages([again], START)
        task = self.ports.ItemFilter(owner="owner-1", task_id="t1")
        listed = await store.sighted(task, 10)
        assert [(one.item.key, one.role, one.execution_id) for one in listed.items] == [
            ("x:5", "match", "e1"),
            ("x:3", "match", "e1"),
            ("x:1", "match", "e2"),
        ]
        assert (listed.total, listed.matched, listed.cursor) == (3, 3, None)
        uncounted = await store.sighted(task, 10, counted=False)
        assert (uncounted.items, uncounted.total, uncounted.matched) == (listed.items, 0, 0)
        run = self.ports.ItemFilter(owner="owner-1", execution_id="e1", role="context")
        assert [one.item.key for one in (await store.sighted(run, 10)).items] == ["x:3"]

    async def test_a_list_goes_on_where_it_ended_while_it_grows(self, store: Any) -> None:
        task = self.ports.ItemFilter(owner="owner-1", task_id="t1", role="match")
        await store.store_pages([make_page(1, [make_item(n) for n in range(5)])], START)
        first = await store.sighted(task, 3)
        await store.store_pages([make_page(2, [make_item(n) for n in range(5, 8)])], START)
        second = await store.sighted(task, 10, after=first.cursor)
        assert [one.item.key for one in (*first.items, *second.items)] == [f"x:{n}" for n in range(8)]

    async def test_a_task_is_only_its_owners(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        for wanted in ({"task_id": "t1"}, {"execution_id": "e1"}):
            listed = await store.sighted(self.ports.ItemFilter(owner="owner-2", **wanted), 10)
            assert (listed.items, listed.total) == ([], 0)
            assert (await store.sighted(self.ports.ItemFilter(**wanted), 10)).total == 1

    @pytest.mark.parametrize("after", [[], ["a", "b"], [1], [1, 2, 3], {"a": 1}, 5, [2**70, 1], "xy"])
    async def test_a_foreign_cursor_is_invalid(self, store: Any, after: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        with pytest.raises(Invalid):
            await store.find(self.ports.ItemFilter(), 10, after=after)
