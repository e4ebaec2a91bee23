"""Changes by people: kept over every later collection, and audited."""

from __future__ import annotations

from typing import Any

import pytest

from xget_contracts.items import Metrics
from xget_kernel.errors import Conflict, NotFound, PreconditionFailed
from xget_testing.contracts.pages import START, make_item, make_page


class ChangesByPeople:
    """Edits, deletions, their history."""

    ports: Any

    def actor(self, user: str = "owner-1") -> Any:
        """Who changes something."""
        return self.ports.Actor(user_id=user, at=START)

    async def test_an_edit_outlives_later_collections(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        await store.edit("x:1", "owner-1", {"text": "mine", "hashtags": ["a"]}, rev=None, by=self.actor())
        newer = make_item(1, text="collected later", metrics=Metrics(likes=99))
        await store.store_pages([make_page(2, [newer])], START)
        item = await store.get("x:1", "owner-1")
        assert (item.visible().text, item.visible().hashtags, item.metrics.likes) == ("mine", ["a"], 99)
        lifted = await store.edit("x:1", "owner-1", {"text": None}, rev=None, by=self.actor())
        assert lifted.visible().text == "collected later"

    async def test_an_edit_of_another_revision_is_refused(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        with pytest.raises(PreconditionFailed):
            await store.edit("x:1", "owner-1", {"text": "a"}, rev=7, by=self.actor())
        assert (await store.edit("x:1", "owner-1", {"text": "a"}, rev=1, by=self.actor())).rev == 2

    async def test_only_an_administrator_edits_an_item_of_several_owners(self, store: Any) -> None:
        for n in (1, 2):
            page = make_page(1, [make_item(1)], execution_id=f"e{n}", task_id=f"t{n}", owner_id=f"owner-{n}")
            await store.store_pages([page], START)
        with pytest.raises(Conflict):
            await store.edit("x:1", "owner-1", {"text": "a"}, rev=None, by=self.actor())
        assert (await store.edit("x:1", None, {"text": "a"}, rev=None, by=self.actor("root"))).visible().text == "a"

    async def test_a_tombstone_wins_over_every_later_collection(self, store: Any) -> None:
        page = make_page(1, [make_item(1), make_item(2)])
        (before,) = await store.store_pages([page], START)
        await store.delete("x:1", "owner-1", by=self.actor())
        assert await store.store_pages([page], START) == [before]
        again = make_page(1, [make_item(1, text="back?"), make_item(2)], execution_id="e2", after=99)
        (answer,) = await store.store_pages([again], START)
        assert (answer.matched, answer.new, answer.unchanged, answer.keys) == (1, 0, 1, ["x:2"])
        assert await store.get("x:1", None) is None
        assert set(await store.load(["x:1", "x:2"])) == {"x:2"}
        wanted = self.ports.ItemFilter(owner="owner-1", task_id="t1")
        assert [one.item.key for one in (await store.sighted(wanted, 10)).items] == ["x:2"]
        assert (await store.find(wanted, 10)).total == 1

    async def test_one_owner_deletes_only_their_own_view(self, store: Any) -> None:
        for n in (1, 2):
            page = make_page(1, [make_item(1)], execution_id=f"e{n}", task_id=f"t{n}", owner_id=f"owner-{n}")
            await store.store_pages([page], START)
        await store.delete("x:1", "owner-1", by=self.actor())
        assert await store.get("x:1", "owner-1") is None
        assert await store.get("x:1", "owner-2") is not None
        await store.store_pages([make_page(1, [make_item(1)], execution_id="e4", after=50)], START)
        assert await store.get("x:1", "owner-1") is None
        await store.delete("x:1", None, by=self.actor("root"))
        assert await store.get("x:1", None) is None

    async def test_deleting_what_is_not_there_is_not_found(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        for key, owner in (("x:1", "owner-2"), ("x:404", None)):
            with pytest.raises(NotFound):
                await store.delete(key, owner, by=self.actor())
            with pytest.raises(NotFound):
                await store.edit(key, owner, {"text": "a"}, rev=None, by=self.actor())
            with pytest.raises(NotFound):
                await store.audit(key, owner)

    async def test_every_change_has_a_history(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        await store.edit("x:1", "owner-1", {"text": "a"}, rev=None, by=self.actor())
        await store.delete("x:1", "owner-1", by=self.actor())
        edit, delete = await store.audit("x:1", "owner-1")
        assert (edit.action, edit.actor, list(edit.fields), edit.at) == ("edit", "owner-1", ["text"], START)
        assert edit.before != edit.after == delete.before
        assert (delete.action, delete.after) == ("delete", None)
        with pytest.raises(NotFound):
            await store.audit("x:1", "owner-2")

    async def test_changes_wait_for_search_until_it_has_them(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1), make_item(2)])], START)
        assert await store.unindexed(10) == {}
        edited = await store.edit("x:1", "owner-1", {"text": "a"}, rev=None, by=self.actor())
        await store.delete("x:2", "owner-1", by=self.actor())
        waiting = await store.unindexed(10)
        assert (waiting["x:1"].rev, waiting["x:2"]) == (edited.rev, 2)
        await store.indexed({"x:1": edited.rev - 1, "x:2": 2})
        assert set(await store.unindexed(10)) == {"x:1"}

    async def test_a_scan_meets_every_key_once_with_deletions_as_revisions(self, store: Any) -> None:
        assert await store.scan(None, 10) == {}
        await store.store_pages([make_page(1, [make_item(n) for n in range(1, 8)])], START)
        await store.edit("x:3", "owner-1", {"text": "a"}, rev=None, by=self.actor())
        await store.delete("x:5", "owner-1", by=self.actor())
        met: dict[str, Any] = {}
        after = None
        while piece := await store.scan(after, 3):
            assert len(piece) <= 3
            assert not met.keys() & piece.keys()
            met |= piece
            after = list(piece)[-1]
        assert sorted(met) == [f"x:{n}" for n in range(1, 8)]
        assert met.pop("x:5") == 2
        assert met == await store.load(list(met))
        assert met["x:3"].visible().text == "a"
