"""Counts of pages: exact, and the same however often a page is delivered."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from xget_contracts.events import PageParsed, PageStored
from xget_testing.contracts.pages import START, make_author, make_item, make_page


def _counts(answer: PageStored) -> tuple[int, ...]:
    return (answer.matched, answer.context, answer.new, answer.updated, answer.unchanged, answer.duplicate)


class PageCounts:
    """What `store_pages` answers."""

    async def test_a_new_page_counts_matches_context_and_new_items(self, store: Any) -> None:
        page = make_page(1, [make_item(1), make_item(2), make_item(3, role="context")], authors=[make_author(1)])
        (answer,) = await store.store_pages([page], START)
        assert _counts(answer) == (2, 1, 3, 0, 0, 0)
        assert answer.authors == 1
        assert answer.keys == ["x:1", "x:2", "x:3"]
        assert (answer.first_id, answer.last_id) == ("2", "1")
        assert answer.first_at == page.items[1].created_at
        assert answer.last_at == page.items[0].created_at
        assert answer.stored_at == START

    async def test_an_item_of_an_earlier_page_is_a_duplicate(self, store: Any) -> None:
        pages = [make_page(1, [make_item(1)]), make_page(2, [make_item(1), make_item(2)])]
        first, second = await store.store_pages(pages, START)
        assert _counts(first) == (1, 0, 1, 0, 0, 0)
        assert _counts(second) == (1, 0, 1, 0, 0, 1)

    async def test_an_item_listed_twice_on_a_page_counts_once_and_a_match_wins(self, store: Any) -> None:
        page = make_page(1, [make_item(1, role="context"), make_item(1), make_item(2), make_item(2, role="context")])
        (answer,) = await store.store_pages([page], START)
        assert _counts(answer) == (2, 0, 2, 0, 0, 0)

    async def test_context_that_answers_on_a_later_page_is_matched_there(self, store: Any) -> None:
        pages = [make_page(1, [make_item(1, role="context")]), make_page(2, [make_item(1)])]
        for split in (pages, pages):
            first, second = await store.store_pages(split, START)
            assert _counts(first) == (0, 1, 1, 0, 0, 0)
            assert _counts(second) == (1, 0, 0, 0, 0, 0)

    async def test_another_execution_counts_known_items_as_updated_or_unchanged(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1), make_item(2)])], START)
        again = [make_item(1, text="edited"), make_item(2)]
        (answer,) = await store.store_pages([make_page(1, again, after=60, execution_id="e2")], START)
        assert _counts(answer) == (2, 0, 0, 1, 1, 0)

    async def test_a_page_collected_again_with_more_on_it_adds_what_is_more(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)], attempt=1)], START)
        again = make_page(1, [make_item(1), make_item(2)], attempt=2)
        (answer,) = await store.store_pages([again], START)
        assert _counts(answer) == (2, 0, 2, 0, 0, 0)
        assert answer.attempt == 2

    async def test_a_later_answer_is_later_also_where_the_clock_is_behind(self, store: Any) -> None:
        (first,) = await store.store_pages([make_page(1, [make_item(1)])], START)
        again = make_page(1, [make_item(1), make_item(2)], attempt=2)
        (second,) = await store.store_pages([again], START - timedelta(minutes=10))
        assert second.stored_at > first.stored_at

    async def test_delivering_everything_twice_in_other_batches_changes_nothing(self, store: Any) -> None:
        pages = _run(execution="e1") + _run(execution="e2")
        once = [answer for page in pages for answer in await store.store_pages([page], START)]
        docs = await store.load([f"x:{n}" for n in range(40)])
        randomness = random.Random(7)
        for _ in range(3):
            twice: list[PageStored] = []
            rest = list(pages)
            while rest:
                size = randomness.randint(1, 5)
                twice += await store.store_pages(rest[:size], START.replace(year=2027))
                rest = rest[size:]
            assert twice == once
        assert await store.load([f"x:{n}" for n in range(40)]) == docs

    async def test_the_same_message_twice_in_one_batch_counts_once(self, store: Any) -> None:
        page = make_page(1, [make_item(1)])
        first, second = await store.store_pages([page, page], START)
        assert first == second
        assert _counts(first) == (1, 0, 1, 0, 0, 0)

    async def test_one_batch_and_many_give_the_same(self, store: Any) -> None:
        together = await store.store_pages(_run(execution="e1"), START)
        apart = [a for p in _run(execution="e3", base=1000) for a in await store.store_pages([p], START)]
        assert [_counts(a) for a in together] == [_counts(a) for a in apart]

    async def test_an_empty_page_is_answered_too(self, store: Any) -> None:
        (answer,) = await store.store_pages([make_page(1, [], quarantined=2)], START)
        assert _counts(answer) == (0, 0, 0, 0, 0, 0)
        assert answer.quarantined == 2
        assert await store.store_pages([], START) == []

    async def test_a_replay_adds_what_was_rejected_before(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1)], quarantined=1), make_page(2, [make_item(5)])], START)
        (answer,) = await store.store_pages([make_page(1, [make_item(1), make_item(2)], replay=True)], START)
        assert _counts(answer) == (2, 0, 2, 0, 0, 0)
        assert answer.quarantined == 0

    async def test_every_item_is_in_exactly_one_count(self, store: Any) -> None:
        answers = await store.store_pages(_run(execution="e1"), START)
        assert sum(a.new + a.updated + a.unchanged for a in answers) == 30
        listed = await store.sighted(self.ports.ItemFilter(owner="owner-1", task_id="t1"), 100)  # type: ignore[attr-defined]  # given by the subclass
        assert listed.total == 30
        assert listed.matched == sum(a.matched for a in answers)


def _run(*, execution: str, base: int = 0) -> list[PageParsed]:
    """Ten pages of four items that overlap by one, each with a context item that may be a match elsewhere."""
    pages = []
    for number in range(1, 11):
        first = base + number * 3 - 3
        items = [make_item(first + n, text=f"post {first + n} of {execution}") for n in range(3)]
        items.append(make_item(first - 1 if first > base else first, role="context"))
        pages.append(make_page(number, items, execution_id=execution, after=number + (100 if execution > "e1" else 0)))
    return pages
