"""What storage has confirmed, page by page."""

from __future__ import annotations

from collections.abc import Sequence

from xget_contracts.events import PageStored
from xget_kernel.clock import Clock
from xget_scraper.models import Execution, Page, Phase
from xget_scraper.repository import COUNTS, Store, Unit
from xget_scraper.service.settling import certify, settle


class ProgressService:
    """Adds up stored pages; the same message twice, late, or out of order changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def record(self, stored: Sequence[PageStored]) -> None:
        """Take in confirmations, all in one transaction. Those of deleted executions are passed over."""
        by_execution: dict[str, list[PageStored]] = {}
        for page in stored:
            by_execution.setdefault(page.execution_id, []).append(page)
        async with self._store.transaction() as unit:
            executions = await unit.executions.lock_all(by_execution)
            # their tasks are locked in one order too, so that two consumers never wait for one another
            for execution in sorted(executions.values(), key=lambda each: (each.task_id, each.id)):
                await self._record(unit, execution, by_execution[execution.id])

    async def _record(self, unit: Unit, execution: Execution, stored: Sequence[PageStored]) -> None:
        changed = False
        for message in stored:
            page = await unit.pages.obtain(execution.id, message.page_no)
            changed = _apply(execution, page, message) or changed
        if not changed:
            return
        now = self._clock.now()
        if execution.phase == Phase.ENDED:
            await certify(unit, execution, now)
        await settle(unit, execution, now)


def _apply(execution: Execution, page: Page, message: PageStored) -> bool:
    """Take one confirmation in; the latest that storage wrote wins. True when something has changed."""
    before = (page.settled, page.stored_attempt)
    known = page.stored_at
    if known is None:
        execution.pages_stored += 1
    page.stored_attempt = max(page.stored_attempt or 0, message.attempt)
    page.settle()
    if known is not None and message.stored_at < known:
        return before != (page.settled, page.stored_attempt)
    counts_before = [getattr(page, name) for name in COUNTS]
    for name in COUNTS:
        change = getattr(message, name) - getattr(page, name)
        setattr(page, name, getattr(message, name))
        setattr(execution, name, getattr(execution, name) + change)
    # an item that came along on one page may answer the task on a later one, so pages' contexts do not add up
    seen = execution.new + execution.updated + execution.unchanged
    execution.context = max(seen - execution.matched, 0)
    page.stored_at = message.stored_at
    page.first_id, page.first_at = message.first_id, message.first_at
    page.last_id, page.last_at = message.last_id, message.last_at
    same = known is not None and counts_before == [getattr(page, name) for name in COUNTS]
    return not same or before != (page.settled, page.stored_attempt)
