"""Posts that are gone: what was collected stays, with the times between which they went."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from xget_contracts.items import Gone, Item
from xget_testing.contracts.pages import START, make_item, make_page


def stand_in(gone: Gone = "deleted") -> Item:
    """What a page shows in the place of post 1."""
    return Item(key="x:1", platform="x", native_id="1", gone=gone, gone_text="This post was deleted.")


class Vanishing:
    """`gone`, `alive_at`, `gone_at`."""

    ports: Any

    async def see(self, store: Any, item: Item, minute: int) -> Any:
        """Post 1 as item shows it, on a page of its own."""
        page = make_page(1, [item], execution_id=f"e{minute}", after=60.0 * minute)
        await store.store_pages([page], START)
        return await store.get("x:1", "owner-1")

    async def test_a_post_that_is_gone_keeps_its_text_and_tells_when_it_went(self, store: Any) -> None:
        await self.see(store, make_item(1, text="what it said"), 1)
        await self.see(store, make_item(1, text="what it said"), 2)
        await self.see(store, stand_in(), 5)
        item = await self.see(store, stand_in(), 9)
        assert (item.text, item.gone, item.gone_text) == ("what it said", "deleted", "This post was deleted.")
        assert (item.alive_at, item.gone_at) == (START + timedelta(minutes=2), START + timedelta(minutes=5))
        assert item.last_seen == START + timedelta(minutes=9)

    async def test_a_post_that_is_back_is_not_gone(self, store: Any) -> None:
        await self.see(store, make_item(1, text="a"), 1)
        await self.see(store, stand_in("withheld"), 2)
        item = await self.see(store, make_item(1, text="b"), 3)
        assert (item.text, item.gone, item.gone_text, item.alive_at, item.gone_at) == ("b", None, None, None, None)
        assert (await self.see(store, stand_in(), 2)).gone is None

    async def test_a_stand_in_of_an_unknown_post_waits_for_its_text(self, store: Any) -> None:
        item = await self.see(store, stand_in(), 5)
        assert (item.text, item.gone, item.alive_at) == ("", "deleted", None)
        item = await self.see(store, make_item(1, text="older"), 1)
        assert (item.text, item.gone, item.alive_at) == ("older", "deleted", START + timedelta(minutes=1))

    @pytest.mark.parametrize("order", list(permutations([(1, True), (3, True), (5, False), (8, False)]))[::5])
    async def test_the_bounds_hold_the_truth_in_any_order(self, store: Any, order: Any) -> None:
        for minute, alive in order:
            item = await self.see(store, make_item(1) if alive else stand_in(), minute)
        assert (item.gone, item.text) == ("deleted", "post 1")
        assert item.alive_at == START + timedelta(minutes=3)
        assert START + timedelta(minutes=5) <= item.gone_at <= START + timedelta(minutes=8)
