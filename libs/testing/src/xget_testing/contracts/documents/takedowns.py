"""Authors who were taken down: gone, and they stay away. Everybody else is as before."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from xget_contracts.items import Item, Media, Metrics, UserRef
from xget_kernel.errors import NotFound
from xget_testing.contracts.pages import START, make_author, make_item, make_page

GONE = "x:7"
"""Key of the author who goes."""


def by(author: int, number: int, **fields: Any) -> Item:
    """Post `number` of an author."""
    who = {"author_key": f"x:{author}", "author_id": str(author), "author_username": f"User{author}"}
    return make_item(number, **(who | fields))


def repost(author: int, number: int, of: Item, *, named: bool = True) -> Item:
    """A repost with a copy of the text; X names the original author first."""
    mentions = [UserRef(id=of.author_id or "", username=of.author_username)] if named else []
    return by(
        author, number, text=f"RT @{of.author_username}: {of.text}", raw_text=of.text, reposted_id=of.native_id,
        mentions=mentions, hashtags=["secret"], media=[Media(type="photo", url="https://e.test/secret.jpg")],
        extra={"copied": "secret"},
    )  # fmt: skip


def world() -> list[Item]:
    """Posts of author 7 ("secret") and of others who quote, answer, mention and repost them."""
    secret = by(7, 1, text="secret one")
    return [
        repost(8, 2, secret),
        repost(8, 3, secret, named=False),
        secret,
        by(7, 4, text="secret two", metrics=Metrics(likes=7)),
        by(8, 5, text="I answer", in_reply_to_id="1", quoted_id="4"),
        by(8, 6, text="RT @User7: is what I say myself"),
        make_item(7, key="x:user:7", kind="user", text="secret profile", author_key="x:7", author_id="7"),
        by(9, 8, text="I am 7 and not that 7", mentions=[UserRef(id="7", username="User7")]),
    ]


class Takedowns:
    """`banned`, `takedowns`, `put_takedown`, `erase`, `erased`."""

    ports: Any

    async def stored(self, store: Any) -> list[Any]:
        """The world, stored for two owners; the answers."""
        pages = [self.page(1, "e1", "owner-1"), self.page(1, "e2", "owner-2")]
        return list(await store.store_pages(pages, START))

    def page(self, number: int, execution: str, owner: str) -> Any:
        authors = [make_author(7, name="secret name"), make_author(8)]
        return make_page(number, world(), execution_id=execution, task_id=f"t-{owner}", owner_id=owner, authors=authors)

    async def ban(self, store: Any, author_key: str = GONE, **fields: Any) -> Any:
        """A takedown that was put."""
        models = type(self).models
        note = models.TakedownNote(action="forget", actor="root", at=START, reason="asked for")
        takedown = models.Takedown(**({"author_key": author_key, "due": START, "notes": [note]} | fields))
        assert await store.put_takedown(takedown)
        return await store.takedown(author_key)

    models: Any

    async def erase(self, store: Any, author_key: str = GONE) -> None:
        """All of it, in two rounds."""
        for _ in range(2):
            after = None
            while True:
                after = await store.erase(author_key, after, by=self.ports.Actor(user_id="root", at=START))
                if after is None:
                    break

    async def gone(self, store: Any) -> None:
        """Nothing of the author is left, everything of others is."""
        everything = await store.load([item.key for item in world()])
        assert sorted(everything) == ["x:2", "x:3", "x:5", "x:6", "x:8"]
        assert b"secret" not in msgspec.json.encode(everything)
        assert everything["x:2"].reposted_id == everything["x:3"].reposted_id == "1"
        assert everything["x:2"].author_username == "User8"
        assert (everything["x:2"].text, everything["x:2"].mentions, everything["x:2"].extra) == ("", [], {})
        assert everything["x:5"].text == "I answer"
        assert (everything["x:8"].text, everything["x:8"].mentions[0].id) == ("I am 7 and not that 7", "7")
        assert set(await store.authors(["x:7", "x:8"])) == {"x:8"}

    async def test_everything_of_an_author_goes_and_nothing_of_others(self, store: Any) -> None:
        await self.stored(store)
        await self.ban(store)
        await self.erase(store)
        await self.gone(store)
        assert await store.erased(GONE) == (3, 2)
        wanted = self.ports.ItemFilter(owner="owner-1", task_id="t-owner-1")
        assert sorted([one.item.key for one in (await store.sighted(wanted, 100)).items]) == [
            "x:2", "x:3", "x:5", "x:6", "x:8",
        ]  # fmt: skip
        assert (await store.find(self.ports.ItemFilter(author="user7"), 10)).total == 0
        with pytest.raises(NotFound):
            await store.history("x:4", None, 10)

    async def test_taking_down_again_changes_nothing(self, store: Any) -> None:
        await self.stored(store)
        await self.ban(store)
        await self.erase(store)
        before = await store.scan(None, 100)
        await self.erase(store)
        assert await store.scan(None, 100) == before
        assert await store.erased(GONE) == (3, 2)

    async def test_it_is_audited_without_content_and_waits_for_search(self, store: Any) -> None:
        await self.stored(store)
        while waiting := await store.unindexed(100):
            await store.indexed({key: one if isinstance(one, int) else one.rev for key, one in waiting.items()})
        await self.ban(store)
        await self.erase(store)
        (entry,) = await store.audit("x:4", "owner-1")
        assert (entry.action, entry.actor, entry.after) == ("delete", "root", None)
        (emptied,) = await store.audit("x:2", None)
        assert (emptied.action, emptied.actor, list(emptied.fields)) == ("edit", "root", ["text"])
        waiting = await store.unindexed(100)
        assert sorted(waiting) == ["x:1", "x:2", "x:3", "x:4", "x:user:7"]
        assert isinstance(waiting["x:1"], int)

    async def test_neither_redelivery_nor_a_later_collection_brings_an_author_back(self, store: Any) -> None:
        before = await self.stored(store)
        await self.ban(store)
        await self.erase(store)
        again = await store.store_pages([self.page(1, "e1", "owner-1"), self.page(1, "e2", "owner-2")], START)
        counts = [(one.matched, one.context, one.new, one.updated, one.unchanged) for one in before]
        assert [(one.matched, one.context, one.new, one.updated, one.unchanged) for one in again] == counts
        await self.gone(store)
        later = [by(7, 50, text="secret three"), by(8, 51, text="fine"), repost(9, 52, by(7, 50, text="secret three"))]
        (answer,) = await store.store_pages([make_page(9, later, execution_id="e9", after=99)], START)
        assert (answer.matched, sorted(answer.keys)) == (2, ["x:51", "x:52"])
        assert (await store.get("x:52", None)).text == ""
        await self.gone(store)

    async def test_a_ban_holds_before_anything_was_collected_and_for_that_author_alone(self, store: Any) -> None:
        await self.ban(store)
        await self.stored(store)
        await self.gone(store)
        assert await store.erased(GONE) == (0, 0)
        assert await store.banned() == {GONE}

    async def test_a_takedown_is_changed_by_one_at_a_time(self, store: Any) -> None:
        takedown = await self.ban(store, after="somewhere", items=3)
        assert (takedown.v, takedown.after, takedown.items) == (1, "somewhere", 3)
        assert await store.put_takedown(msgspec.structs.replace(takedown, after="further"))
        assert not await store.put_takedown(msgspec.structs.replace(takedown, after="elsewhere"))
        assert not await store.put_takedown(msgspec.structs.replace(takedown, v=0))
        assert not await store.put_takedown(msgspec.structs.replace(takedown, author_key="x:99", v=5))
        assert (await store.takedown(GONE)).after == "further"
        await self.ban(store, "x:2", pending=False, state="done")
        assert [one.author_key for one in await store.takedowns()] == ["x:2", GONE]
        assert [one.author_key for one in await store.takedowns(pending=True)] == [GONE]
        assert await store.banned() == {"x:2", GONE}
        assert await store.takedown("x:404") is None

    async def test_pieces_end_in_the_same_whatever_comes_in_between(self, store: Any) -> None:
        cuts = random.Random(5)
        items = [by(cuts.choice([7, 8, 9]), n) for n in range(60)]
        await store.store_pages([make_page(1, items)], START)
        await self.ban(store)
        after = None
        for number in range(5):
            after = await store.erase(GONE, after, by=self.ports.Actor(user_id="root", at=START))
            await store.store_pages([make_page(number + 2, cuts.sample(items, 20), after=number)], START)
            if after is None:
                break
        mine = sorted(item.key for item in items if item.author_key != GONE)
        assert sorted(await store.load([item.key for item in items])) == mine
