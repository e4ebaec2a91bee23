"""Edits: versions with numbers of their own, and texts that change under one number."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from xget_contracts.items import Item
from xget_testing.contracts.pages import START, make_item, make_page


def version(number: int, *ids: int, **fields: Any) -> Item:
    """A post that is one of the versions `ids`."""
    return make_item(number, extra={"edit": {"ids": [str(one) for one in ids]}}, **fields)


def toot(text: str) -> Item:
    """A post of a platform where an edit keeps the number."""
    return make_item(7, key="mastodon:7", platform="mastodon", text=text)


class Versions:
    """`versions` and `revisions`."""

    ports: Any

    async def put(self, store: Any, *items: Item, minute: int = 1, owner: str = "owner-1", task: str = "t1") -> None:
        """A page of an execution of its own."""
        page = make_page(
            1, list(items), execution_id=f"{task}-{minute}", task_id=task, owner_id=owner, after=60.0 * minute
        )
        await store.store_pages([page], START)

    async def test_versions_are_found_by_the_first_one(self, store: Any) -> None:
        await self.put(store, version(1, 1), version(50, 50))
        await self.put(store, version(2, 1, 2), minute=2)
        await self.put(store, version(3, 1, 2, 3), minute=3)
        assert sorted(one.key for one in await store.versions("x:1", "owner-1")) == ["x:1", "x:2", "x:3"]
        assert [one.key for one in await store.versions("x:50", None)] == ["x:50"]
        assert await store.versions("x:2", "owner-1") != [], "a later one is found by its own key"
        assert await store.versions("x:404", None) == []

    async def test_a_version_that_was_never_collected_holds_up_none_of_the_others(self, store: Any) -> None:
        await self.put(store, version(3, 1, 2, 3))
        assert [one.key for one in await store.versions("x:1", "owner-1")] == ["x:3"]

    async def test_a_version_that_learns_of_later_ones_is_one_still(self, store: Any) -> None:
        await self.put(store, version(1, 1))
        await self.put(store, version(1, 1, 2), version(2, 1, 2), minute=2)
        assert sorted(one.key for one in await store.versions("x:1", "owner-1")) == ["x:1", "x:2"]

    async def test_owners_see_their_own_versions_alone(self, store: Any) -> None:
        await self.put(store, version(1, 1))
        await self.put(store, version(2, 1, 2), owner="owner-2", task="t2")
        assert [one.key for one in await store.versions("x:1", "owner-1")] == ["x:1"]
        assert [one.key for one in await store.versions("x:1", "owner-2")] == ["x:2"]
        await store.delete("x:2", "owner-2", by=self.ports.Actor(user_id="owner-2", at=START))
        assert [one.key for one in await store.versions("x:1", None)] == ["x:1"]

    async def test_a_text_that_changes_under_one_number_is_kept_with_its_times(self, store: Any) -> None:
        for minute, text in ((1, "a"), (2, "a"), (5, "b"), (6, "b"), (9, "c")):
            await self.put(store, toot(text), minute=minute)
            await self.put(store, toot(text), minute=minute)
        item = await store.get("mastodon:7", "owner-1")
        found = [
            (one.text, (one.last_seen - START).seconds / 60, (one.changed_by - START).seconds / 60)
            for one in item.revisions
        ]
        assert (item.text, found) == ("c", [("a", 2, 5), ("b", 6, 9)])

    @pytest.mark.parametrize("order", list(permutations([(1, "a"), (3, "a"), (5, "b"), (8, "b")]))[::5])
    async def test_the_times_of_an_edit_hold_the_truth_in_any_order(self, store: Any, order: Any) -> None:
        for minute, text in order:
            await self.put(store, toot(text), minute=minute)
        item = await store.get("mastodon:7", "owner-1")
        assert (item.text, [one.text for one in item.revisions]) == ("b", ["a"])
        (edit,) = item.revisions
        assert START + timedelta(minutes=1) <= edit.last_seen <= START + timedelta(minutes=3)
        assert START + timedelta(minutes=5) <= edit.changed_by <= START + timedelta(minutes=8)

    async def test_cuts_of_a_text_are_no_edits_where_versions_have_numbers(self, store: Any) -> None:
        await self.put(store, version(1, 1, text="a long text that is cut…"))
        await self.put(store, version(1, 1, text="a long text that is cut no more"), minute=2)
        assert (await store.get("x:1", "owner-1")).revisions == []
