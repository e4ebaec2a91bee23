"""How an item was seen over time."""

from __future__ import annotations

from typing import Any

import pytest

from xget_contracts.items import Metrics
from xget_kernel.errors import Invalid, NotFound
from xget_testing.contracts.pages import START, make_item, make_page


class Histories:
    """`history`."""

    ports: Any

    async def watch(self, store: Any, times: int, *, owner: str = "owner-1", task: str = "t1") -> None:
        """One more execution each minute, each with more likes."""
        for n in range(times):
            item = make_item(1, role="match" if n % 2 else "context", metrics=Metrics(likes=10 * n))
            page = make_page(
                n + 1, [item, make_item(2)], execution_id=f"{task}-e{n}", task_id=task, owner_id=owner, after=60.0 * n
            )
            await store.store_pages([page], START)

    async def test_each_execution_is_a_sight_with_its_counts(self, store: Any) -> None:
        await self.watch(store, 3)
        history = await store.history("x:1", "owner-1", 10)
        seen = [(one.execution_id, one.page_no, one.match_page, one.metrics.likes) for one in history.items]
        assert seen == [("t1-e2", 3, None, 20), ("t1-e1", 2, 2, 10), ("t1-e0", 1, None, 0)]
        assert history.cursor is None
        newest = history.items[0]
        assert (newest.task_id, newest.owner_id, (newest.seen_at - START).seconds) == ("t1", "owner-1", 120)

    @pytest.mark.parametrize("newest", [True, False])
    async def test_pieces_cover_a_history_once_while_it_grows(self, store: Any, newest: bool) -> None:
        await self.watch(store, 7)
        met: list[str] = []
        after = None
        while True:
            piece = await store.history("x:1", None, 3, newest=newest, after=after)
            met += [one.execution_id for one in piece.items]
            after = piece.cursor
            if after is None:
                break
        expected = [f"t1-e{n}" for n in range(7)]
        assert met == (expected[::-1] if newest else expected)

    async def test_owners_see_their_own_sightings_alone(self, store: Any) -> None:
        await self.watch(store, 2)
        await self.watch(store, 1, owner="owner-2", task="t2")
        assert [one.task_id for one in (await store.history("x:1", "owner-2", 10)).items] == ["t2"]
        assert len((await store.history("x:1", None, 10)).items) == 3
        with pytest.raises(NotFound):
            await store.history("x:1", "owner-3", 10)
        with pytest.raises(NotFound):
            await store.history("x:404", None, 10)

    async def test_who_deleted_an_item_has_no_history_of_it(self, store: Any) -> None:
        await self.watch(store, 1)
        await self.watch(store, 1, owner="owner-2", task="t2")
        await store.delete("x:1", "owner-1", by=self.ports.Actor(user_id="owner-1", at=START))
        with pytest.raises(NotFound):
            await store.history("x:1", "owner-1", 10)
        assert [one.owner_id for one in (await store.history("x:1", None, 10)).items] == ["owner-2"]

    @pytest.mark.parametrize("after", [[], [1], ["a", "b"], {"a": 1}, 5, [1, "e", 2]])
    async def test_a_foreign_cursor_of_a_history_is_invalid(self, store: Any, after: Any) -> None:
        await self.watch(store, 1)
        with pytest.raises(Invalid):
            await store.history("x:1", None, 10, after=after)
