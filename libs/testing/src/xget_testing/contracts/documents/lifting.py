"""Authors who may be collected again: nothing is restored, and what is collected from then on is as any other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from xget_testing.contracts.documents.takedowns import GONE, Takedowns, by, world
from xget_testing.contracts.pages import START, make_author, make_page


class LiftedTakedowns(Takedowns):
    """Takedowns, and what is after them."""

    async def lift(self, store: Any, after: float = 100) -> None:
        """The author may be collected again."""
        known = await store.takedown(GONE)
        note = type(self).models.TakedownNote(
            action="lift", actor="root", at=START + timedelta(seconds=after), reason=""
        )
        assert await store.put_takedown(msgspec.structs.replace(known, state="lifted", notes=[*known.notes, note]))

    async def test_a_lifted_ban_restores_nothing_and_lets_in_what_is_collected_from_then_on(self, store: Any) -> None:
        await self.stored(store)
        await self.ban(store)
        await self.erase(store)
        revs = {key: rev for key, rev in (await store.scan(None, 100)).items() if isinstance(rev, int)}
        await self.lift(store)
        assert await store.banned() == frozenset()
        await self.gone(store)
        late = make_page(8, [by(7, 4, text="as it was"), by(7, 61)], execution_id="e8", after=99)
        (answer,) = await store.store_pages([late], START)  # was on its way when the ban was lifted
        assert (answer.keys, answer.new) == (["x:61"], 1)
        again = [*world(), by(7, 60, text="new")]
        pages = [
            make_page(9, again, execution_id="e9", task_id="t-owner-1", after=101, authors=[make_author(7)]),
            make_page(9, again, execution_id="e2", task_id="t-owner-2", owner_id="owner-2", after=102),
        ]
        mine, theirs = await store.store_pages(pages, START)
        assert (mine.new, mine.matched, len(mine.keys)) == (4, 9, 9)  # three that came back, and a new one
        assert (theirs.new, theirs.matched, theirs.duplicate) == (0, 1, 8)
        assert await store.store_pages(pages, START) == [mine, theirs]
        found = await store.load([item.key for item in again])
        assert len(found) == 9
        assert (found["x:4"].text, found["x:2"].text) == ("secret two", world()[0].text)
        assert list(found["x:4"].seen_by) == ["owner-1", "owner-2"]
        assert {key: found[key].rev > rev for key, rev in revs.items()} == dict.fromkeys(revs, True)
        assert set(await store.authors(["x:7"])) == {"x:7"}
        for owner, execution in (("owner-1", "e9"), ("owner-2", "e2")):
            for wanted in ({"task_id": f"t-{owner}"}, {"execution_id": execution}):
                listed = await store.sighted(self.ports.ItemFilter(owner=owner, **wanted), 100)
                assert sorted(one.item.key for one in listed.items) == sorted(found)
            assert (await store.find(self.ports.ItemFilter(owner=owner), 100)).total == 9 + (owner == "owner-1")
            (seen, *_) = (await store.history("x:4", owner, 10)).items
            assert (seen.execution_id, seen.metrics.likes) == (execution, 7)

    async def test_what_people_deleted_stays_so_when_its_author_may_be_collected_again(self, store: Any) -> None:
        await self.stored(store)
        owner, root = (self.ports.Actor(user_id=name, at=START) for name in ("owner-1", "root"))
        await store.delete("x:4", "owner-1", by=owner)
        await store.delete("x:1", None, by=root)
        await self.ban(store)
        await self.erase(store)
        await self.lift(store)
        await store.store_pages([make_page(9, world(), execution_id="e9", task_id="t-owner-1", after=101)], START)
        assert set(await store.load(["x:1", "x:4"])) == set()
        page = make_page(9, world(), execution_id="e7", task_id="t-owner-2", owner_id="owner-2", after=102)
        await store.store_pages([page], START)
        assert await store.get("x:4", "owner-1") is None
        assert set(await store.load(["x:1", "x:4"])) == {"x:4"}
        await store.delete("x:4", None, by=root)
        await store.store_pages([msgspec.structs.replace(page, page_no=10)], START)
        assert set(await store.load(["x:1", "x:4"])) == set()

    async def test_an_author_who_came_back_can_be_taken_down_again(self, store: Any) -> None:
        await self.stored(store)
        await self.ban(store)
        await self.erase(store)
        await self.lift(store)
        page = make_page(9, world(), execution_id="e9", after=101, authors=[make_author(7)])
        await store.store_pages([page], START)
        known = await store.takedown(GONE)
        assert await store.put_takedown(msgspec.structs.replace(known, state="running"))
        await self.erase(store)
        await self.gone(store)
        await store.store_pages([msgspec.structs.replace(page, page_no=10)], START)
        await self.gone(store)
        assert await store.erased(GONE) == (3, 2)
