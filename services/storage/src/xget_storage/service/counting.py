"""The counts of a page, kept with it, and the answer made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

import msgspec

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Item, Struct

_TICK: Final = timedelta(microseconds=1)
_Answer = TypeVar("_Answer", bound=PageStored)


class Place(NamedTuple):
    """Where an execution saw an item first, and where first as an answer. Both in page numbers, whatever came first."""

    page: int
    match: int | None

    @classmethod
    def of(cls, page_no: int, match: bool) -> Place:
        """Seen on one page."""
        return cls(page_no, page_no if match else None)

    def with_page(self, page_no: int, match: bool) -> Place:
        """Seen on another page too."""
        answers = [page for page in (self.match, page_no if match else None) if page is not None]
        return Place(min(self.page, page_no), min(answers, default=None))


class PageCounts(Struct):
    """Counts of what a page showed first, over all deliveries of it.

    An item that came along on an earlier page and answers the task here is `matched` here and `context` there; it is
    in `new`, `updated` or `unchanged` of the earlier page only. So `matched` adds up over an execution's pages, and
    so does `new + updated + unchanged`. A page that is stored after later ones (read again from quarantine, or after
    its parser was frozen) takes over from them what it showed before they did.
    """

    matched: int = 0
    context: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def count(self, page_no: int, place: Place, *, fresh: bool, changed: bool, times: int = 1) -> None:
        """Add what an item at `place` is for page `page_no`; with `times` -1 take it away."""
        self.matched += times * (place.match == page_no)
        if place.page == page_no:
            self.context += times * (place.match != page_no)
            self.new += times * fresh
            self.updated += times * (changed and not fresh)
            self.unchanged += times * (not changed and not fresh)


class KeptAnswer(PageStored):
    """An answer as it is kept: with the pages of the execution that lost counts to this one, to be told again."""

    touched: list[int] = msgspec.field(default_factory=list)

    def told(self) -> PageStored:
        """What others get of it."""
        return PageStored(**{name: getattr(self, name) for name in PageStored.__struct_fields__})

    @classmethod
    def of(cls, answer: PageStored, touched: Iterable[int]) -> KeptAnswer:
        """An answer, to be kept."""
        given = {name: getattr(answer, name) for name in PageStored.__struct_fields__}
        return cls(**given, touched=sorted(touched))


def recounted(answer: _Answer, now: datetime, counts: PageCounts, duplicates: int) -> _Answer:
    """An answer whose counts a page that came later has changed; the same one when they are as they were."""
    given = {**msgspec.structs.asdict(counts), "duplicate": duplicates}
    if all(getattr(answer, name) == value for name, value in given.items()):
        return answer
    return msgspec.structs.replace(answer, **given, stored_at=_after(now, answer))


def page_stored(
    page: PageParsed,
    now: datetime,
    *,
    before: PageStored | None,
    keys: Sequence[str],
    matches: Sequence[Item],
    counts: PageCounts,
    duplicates: int,
) -> PageStored:
    """What `xget.stored` says of a page, after what was said of it `before`.

    Whoever adds up lets the latest count, so the time goes on even when the clock here is behind the one before.
    """
    dated = sorted((item.created_at, item.native_id) for item in matches if item.created_at is not None)
    return PageStored(
        execution_id=page.execution_id,
        task_id=page.task_id,
        owner_id=page.owner_id,
        page_no=page.page_no,
        stored_at=now if before is None else _after(now, before),
        matched=counts.matched,
        context=counts.context,
        new=counts.new,
        updated=counts.updated,
        unchanged=counts.unchanged,
        duplicate=duplicates,
        quarantined=page.quarantined,
        authors=len(page.authors),
        keys=list(keys),
        first_id=dated[0][1] if dated else (matches[0].native_id if matches else None),
        last_id=dated[-1][1] if dated else (matches[-1].native_id if matches else None),
        first_at=dated[0][0] if dated else None,
        last_at=dated[-1][0] if dated else None,
        attempt=max(page.attempt, before.attempt if before else 0),
    )


def _after(now: datetime, before: PageStored) -> datetime:
    return max(now, before.stored_at + _TICK)
