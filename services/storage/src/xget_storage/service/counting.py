"""The counts of a page, kept with it, and the answer made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from xget_contracts.events import PageParsed, PageStored
from xget_contracts.items import Item, Struct

_TICK: Final = timedelta(microseconds=1)


class PageCounts(Struct):
    """Counts of the first sightings that a page recorded, over all deliveries of it.

    An item that came along on an earlier page and answers the task here is `matched` here and `context` there; it is
    in `new`, `updated` or `unchanged` of the earlier page only. So `matched` adds up over an execution's pages, and
    so does `new + updated + unchanged`.
    """

    matched: int = 0
    context: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def first(self, match: bool, fresh: bool, changed: bool) -> None:
        """Count an item that the execution sees for the first time."""
        self.matched += match
        self.context += not match
        self.new += fresh
        self.updated += changed and not fresh
        self.unchanged += not changed and not fresh

    def promoted(self, same_page: bool) -> None:
        """Count an item that came along before and answers the task now."""
        self.matched += 1
        self.context -= same_page


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
        stored_at=now if before is None else max(now, before.stored_at + _TICK),
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
