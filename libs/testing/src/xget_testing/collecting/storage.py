"""What processing and storage do between `xget.pages` and `xget.stored`, in memory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import zstandard

from xget_contracts.events import PAGES, STORED, PageCollected, PageStored
from xget_events.codec import decode, message
from xget_events.log import EventLog, Record
from xget_events.runner import ConsumerRunner

Sighting = tuple[str, str]


class PageStore:
    """Stores the keys of `ListSource` pages and confirms each page with counts derived from what is stored.

    Its memory outlives crashes of the worker under test, as storage's disk would. `paused` holds it up.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.first_page: dict[Sighting, int] = {}
        self.matches: set[Sighting] = set()
        self.owner_of: dict[str, Sighting] = {}
        self.pages: list[PageCollected] = []
        self.paused = asyncio.Event()
        self.paused.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Store until `stop` is set."""
        await ConsumerRunner(self._log, "page-store", [PAGES], self._handle, batch=20).run(stop)

    def keys(self, execution_id: str) -> list[str]:
        """Keys that an execution has as matches, sorted."""
        return sorted(key for execution, key in self.matches if execution == execution_id)

    async def _handle(self, records: list[Record]) -> None:
        await self.paused.wait()
        pages = [decode(record, PageCollected) for record in records]
        now = datetime.now(UTC)
        confirmed = [
            message(STORED, page.execution_id, self._store(page, now), source="test", now=now) for page in pages
        ]
        await self._log.publish(confirmed)

    def _store(self, page: PageCollected, now: datetime) -> PageStored:
        self.pages.append(page)
        keys: list[str] = msgspec.json.decode(zstandard.decompress(page.body_zstd))["keys"]
        for key in keys:
            seen = (page.execution_id, key)
            self.first_page.setdefault(seen, page.page_no)
            self.owner_of.setdefault(key, seen)
            if key in page.match_keys:
                self.matches.add(seen)
        here = [s for s, number in self.first_page.items() if s[0] == page.execution_id and number == page.page_no]
        matched = [s for s in here if s in self.matches]
        new = sum(self.owner_of[key] == (execution, key) for execution, key in here)
        return PageStored(
            execution_id=page.execution_id,
            task_id=page.task_id,
            owner_id=page.owner_id,
            page_no=page.page_no,
            attempt=page.attempt,
            stored_at=now,
            matched=len(matched),
            context=len(here) - len(matched),
            new=new,
            updated=0,
            unchanged=len(here) - new,
            duplicate=len(keys) - sum((page.execution_id, key) in set(here) for key in keys),
            keys=keys,
            first_id=matched[0][1] if matched else None,
            last_id=matched[-1][1] if matched else None,
        )
