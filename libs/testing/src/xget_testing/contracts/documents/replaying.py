"""Pages that are read again after a fix end as if they had been read at once; so do pages that come late."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Item, Metrics
from xget_testing.contracts.pages import START, make_author, make_item, make_page

_PAGES = 6
_COUNTS = ("matched", "context", "new", "updated", "unchanged", "duplicate", "quarantined", "authors", "keys")
_SPANS = ("first_id", "last_id", "first_at", "last_at", "attempt")


def latest(answers: Sequence[PageStored]) -> dict[int, PageStored]:
    """The last word on each page, as those who add up hear it."""
    found: dict[int, PageStored] = {}
    for answer in answers:
        if answer.page_no not in found or found[answer.page_no].stored_at <= answer.stored_at:
            found[answer.page_no] = answer
    return found


def run_of(execution: str, seed: int) -> list[PageParsed]:
    """Pages that share many items: as answers, along with others, and with counts that grow."""
    cuts = random.Random(seed)
    pages = []
    for number in range(1, _PAGES + 1):
        shown = [_item(execution, n, number, role=cuts.choice(["match", "context"])) for n in cuts.sample(range(10), 5)]
        shown.append(_item(execution, 100 + number, number, role="match"))
        author = make_author(number, key=f"x:{execution}-{number}")
        pages.append(make_page(number, shown, execution_id=execution, task_id=f"t-{execution}", authors=[author]))
    return pages


def _item(execution: str, number: int, page_no: int, **fields: Any) -> Item:
    return make_item(number, key=f"x:{execution}-{number}", metrics=Metrics(likes=page_no), **fields)


def cut(page: PageParsed, cuts: random.Random) -> PageParsed:
    """A page as a parser reads it that cannot read some of its records."""
    left = [item for item in page.items if cuts.random() < 0.5]
    return msgspec.structs.replace(page, items=left, quarantined=len(page.items) - len(left))


class Replaying:
    """`store_pages` with pages that come in pieces, and late."""

    ports: Any

    async def test_a_run_that_was_replayed_from_quarantine_is_as_a_clean_one(self, store: Any) -> None:
        for seed in range(4):
            clean, fixed = run_of(f"clean{seed}", seed), run_of(f"fixed{seed}", seed)
            cuts = random.Random(seed)
            told = await store.store_pages(clean, START)
            said = await store.store_pages([cut(page, cuts) for page in fixed], START)
            for page in cuts.sample(fixed, len(fixed)):
                again = msgspec.structs.replace(page, replay=True)
                said += await store.store_pages([again], START)
                said += await store.store_pages([again], START)
            assert await self.state(store, fixed, said) == await self.state(store, clean, told), seed

    async def test_pages_that_come_late_end_as_those_that_come_in_order(self, store: Any) -> None:
        for seed in range(4, 7):
            clean, late = run_of(f"clean{seed}", seed), run_of(f"late{seed}", seed)
            told = await store.store_pages(clean, START)
            order = random.Random(seed).sample(late, len(late))
            said = await store.store_pages(order[:3], START)
            for page in order[3:]:
                said += await store.store_pages([page], START)
            assert await self.state(store, late, said) == await self.state(store, clean, told), seed

    async def test_a_later_page_tells_again_what_an_earlier_one_took_from_it(self, store: Any) -> None:
        await store.store_pages([make_page(1, [], quarantined=1), make_page(3, [make_item(1, role="context")])], START)
        for _ in range(2):  # who dies between storing and telling tells all of it after all
            first, third = await store.store_pages([make_page(1, [make_item(1)], replay=True)], START)
            assert (first.page_no, first.matched, first.new, first.duplicate) == (1, 1, 1, 0)
            assert (third.page_no, third.context, third.new, third.duplicate) == (3, 0, 0, 1)
        (history,) = (await store.history("x:1", "owner-1", 10)).items
        assert (history.page_no, history.match_page, history.seen_at) == (1, 1, make_page(1, []).fetched_at)

    async def test_a_known_item_is_updated_when_any_page_up_to_its_first_changed_it(self, store: Any) -> None:
        await store.store_pages([make_page(1, [make_item(1), make_item(2)], execution_id="e0", after=-9)], START)
        shown = [make_item(1, metrics=Metrics(likes=9)), make_item(2)]
        await store.store_pages([make_page(1, [], quarantined=2), make_page(2, shown)], START)
        first, second = await store.store_pages([make_page(1, shown, replay=True)], START)
        assert (first.updated, first.unchanged, first.duplicate) == (1, 1, 0)
        assert (second.updated, second.unchanged, second.duplicate) == (0, 0, 2)

    async def state(self, store: Any, pages: list[PageParsed], answers: list[PageStored]) -> Any:
        """All that is stored and said of a run, without its names."""
        run = pages[0].execution_id
        wanted = self.ports.ItemFilter(execution_id=run)
        listed = (await store.sighted(wanted, 100)).items
        kept: dict[str, Any] = {}
        for one in listed:
            item = msgspec.to_builtins(one.item)
            item.pop("rev", None)  # says how often it was written
            (seen,) = (await store.history(one.item.key, None, 10)).items
            kept[one.item.key] = [item, one.role, one.seen_at.isoformat(), msgspec.to_builtins(seen)]
        said = {
            number: [msgspec.to_builtins(getattr(answer, name)) for name in (*_COUNTS, *_SPANS)]
            for number, answer in latest(answers).items()
        }
        authors = msgspec.to_builtins(await store.authors([author.key for page in pages for author in page.authors]))
        whole = msgspec.json.encode([sorted(kept.items()), sorted(said.items()), sorted(authors.items())])
        return msgspec.json.decode(whole.replace(run.encode(), b"run"))
