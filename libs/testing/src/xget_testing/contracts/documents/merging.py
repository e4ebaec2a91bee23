"""How sights of an item add up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from xget_contracts.items import Media, Metrics
from xget_testing.contracts.pages import START, make_author, make_item, make_page


class Merging:
    """What is stored of an item."""

    ports: Any

    async def test_the_newest_text_stays_whatever_the_order(self, store: Any) -> None:
        old = make_page(1, [make_item(1, text="old")], after=10)
        new = make_page(1, [make_item(1, text="new")], after=20, execution_id="e2")
        await store.store_pages([new], START)
        await store.store_pages([old], START)
        item = await store.get("x:1", "owner-1")
        assert item.text == "new"
        assert (item.first_seen, item.last_seen) == (START + timedelta(seconds=10), START + timedelta(seconds=20))

    async def test_an_empty_field_never_erases_a_full_one(self, store: Any) -> None:
        full = make_item(1, media=[Media(type="photo", url="https://e.test/1.jpg")], quoted_id="9")
        await store.store_pages([make_page(1, [full])], START)
        await store.store_pages([make_page(2, [make_item(1, lang=None)])], START)
        item = await store.get("x:1", None)
        assert (item.quoted_id, item.lang, len(item.media)) == ("9", "en", 1)

    async def test_counts_keep_their_maximum(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1, metrics=Metrics(likes=5, views=10))])], START)
        await store.store_pages([make_page(2, [make_item(1, metrics=Metrics(likes=4, replies=1))])], START)
        item = await store.get("x:1", None)
        assert item.metrics == Metrics(likes=5, views=10, replies=1)

    async def test_the_revision_grows_only_with_a_change(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        await store.store_pages([make_page(2, [make_item(1)])], START)
        assert (await store.get("x:1", None)).rev == 1
        await store.store_pages([make_page(3, [make_item(1, text="other")])], START)
        assert (await store.get("x:1", None)).rev == 2

    async def test_owners_and_tasks_add_up(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        await store.store_pages([make_page(1, [make_item(1)], execution_id="e2", task_id="t2")], START)
        await store.store_pages(
            [make_page(1, [make_item(1)], execution_id="e3", task_id="t3", owner_id="owner-2")], START
        )
        item = await store.get("x:1", None)
        assert item.seen_by == {"owner-1": ["t1", "t2"], "owner-2": ["t3"]}
        assert item.first_execution == "e1"

    async def test_an_item_is_only_its_owners(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)])], START)
        assert await store.get("x:1", "owner-2") is None
        assert (await store.find(self.ports.ItemFilter(owner="owner-2"), 10)).total == 0

    async def test_authors_are_merged_too(self, store: Any) -> None:
        await store.store_pages([make_page(1, [], authors=[make_author(1, metrics=Metrics(followers=5))])], START)
        await store.store_pages([make_page(2, [], authors=[make_author(1, name="Renamed")])], START)
        author = (await store.authors(["x:1"]))["x:1"]
        assert (author.name, author.metrics.followers, author.rev) == ("Renamed", 5, 2)

    async def test_items_of_all_kinds_are_kept(self, store: Any) -> None:
        items = [
            make_item(1),
            make_item(2, key="x:user:2", kind="user"),
            make_item(3, key="x:trend:量子", kind="trend", created_at=None),
        ]
        await store.store_pages([make_page(1, items)], START)
        found = await store.load(["x:1", "x:user:2", "x:trend:量子", "x:none"])
        assert {key: item.kind for key, item in found.items()} == {
            "x:1": "post",
            "x:user:2": "user",
            "x:trend:量子": "trend",
        }
