"""Earlier texts of a post: what is kept of them, moved to another store, and taken away."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from xget_contracts.items import Item
from xget_storage.models import StoredItem
from xget_storage.service.bans import emptied
from xget_storage.service.merging import first_sight, merge_item, merge_stored
from xget_storage.service.revising import KEPT, all_versions, first_version
from xget_testing.contracts.pages import START, make_item, make_page


def seen(*sights: tuple[int, str]) -> StoredItem:
    """A post as it is after sights at these minutes."""
    stored: StoredItem | None = None
    for minute, text in sights:
        item = make_item(7, key="mastodon:7", platform="mastodon", text=text)
        page = make_page(1, [item], execution_id=f"e{minute}", after=60.0 * minute)
        if stored is None:
            stored = first_sight(item, page)
        else:
            merge_item(stored, item, page)
    assert stored is not None
    return stored


def test_only_the_latest_texts_are_kept() -> None:
    stored = seen(*((minute, f"text {minute}") for minute in range(KEPT + 10)))
    assert [one.text for one in stored.revisions] == [f"text {minute}" for minute in range(9, KEPT + 9)]


def test_two_stores_together_know_what_both_saw() -> None:
    kept, other = seen((1, "a"), (9, "c")), seen((2, "a"), (5, "b"), (7, "b"))
    merge_stored(kept, other)
    once = msgspec.json.encode(kept)
    assert kept.text == "c"
    assert {one.text for one in kept.revisions} == {"a", "b"}
    assert all(one.last_seen < one.changed_by for one in kept.revisions)
    merge_stored(kept, other)
    assert msgspec.json.encode(kept) == once, "again is fine"


SIGHTS = st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abc")), min_size=1, max_size=8)


@given(SIGHTS, SIGHTS)
def test_another_store_is_taken_over_once(mine: list[tuple[int, str]], theirs: list[tuple[int, str]]) -> None:
    kept, other = seen(*mine), seen(*theirs)
    merge_stored(kept, other)
    once = msgspec.json.encode(kept)
    merge_stored(kept, other)
    assert msgspec.json.encode(kept) == once
    assert {kept.text, *(one.text for one in kept.revisions)} >= {mine[0][1], theirs[0][1]}


def test_a_repost_without_its_copy_keeps_no_earlier_text_of_it() -> None:
    stored = seen((1, "RT @ada: secret"), (2, "RT @ada: more"))
    assert stored.revisions[0].changed_by == START + timedelta(minutes=2)
    assert emptied(stored).revisions == []


def test_what_people_write_into_extra_is_no_version() -> None:
    for edit in (None, "1", ["1"], {"ids": "12"}, {"ids": [1, 2]}, {"ids": {}}, {"ids": ["1"]}):
        item = make_item(1, extra={"edit": edit})
        assert (first_version(item), all_versions([item])) == (None, [])
    assert first_version(Item(key="x:2", platform="x", native_id="2", extra={"edit": {"ids": ["1", "2"]}})) == "x:1"
