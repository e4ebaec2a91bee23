"""Collects endless posts of a made-up source into tables, and tells how much memory it held meanwhile.

Usage: collecting_endlessly.py DATABASE_URL POSTS TARGETS. With TARGETS 0 one search of POSTS posts, else a task of so
many users. Prints a line of JSON: the certificate, and the blocks of memory held at four moments or more. A process of
its own, because what tests leave behind (lines of logs, caches) is held in theirs.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from xget_contracts.events import PageCollected, PageStored
from xget_db.engine import Database
from xget_events.log import EventLog
from xget_kernel.clock import SystemClock
from xget_kernel.messages import Message
from xget_scraper.repository import Store
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.checkpoints import Checkpoints, Rules
from xget_scraper.service.collecting import Collector
from xget_scraper.service.drafts import Draft
from xget_scraper.service.planning import Planner
from xget_scraper.service.progress import ProgressService
from xget_scraper.service.tasks import TaskService
from xget_sources.ports import CollectRequest, RawPage, Session, Source, SourceStopped
from xget_testing.collecting import FakeSessions, ListSource

PAGE = 200
START = datetime(2026, 1, 1, tzinfo=UTC)
Looks = list[int]


class EndlessSource(ListSource):
    """A search of `count` posts that are made as they are asked for, two in a second, newest first.

    Each page begins with ten posts of the one before, every tenth page stalls. Any user has one post; a name that ends
    in 7 is nobody's. After every `every` posts or users it looks at how many blocks of memory are held.
    """

    def __init__(self, count: int, looks: Looks, every: int) -> None:
        super().__init__([])
        self.count = count
        self.given = 0
        self._looks = looks
        self._every = every

    async def collect(self, request: CollectRequest, session: Session, cursor: str | None) -> AsyncGenerator[RawPage]:
        """Pages from `cursor` on."""
        if request.task_type == "USER_TWEETS":
            name = request.parameters["username"]
            if name.endswith("7"):
                self._look(1)
                raise SourceStopped("not_found", f"X has no @{name}.")
            yield self._made([f"x:{name}"], cursor, "exhausted", 1)
            return
        first = 0
        if request.until is not None:
            first = max(0, int((self.written(0) - request.until).total_seconds()) * 2)
        for n in range(int(cursor or 0), 10):
            start = first + n * (PAGE - 10)
            found = range(start, min(start + PAGE, self.count))
            end = "exhausted" if start + PAGE >= self.count else "stalled" if n == 9 else None
            yield self._made([f"x:{10**18 + i}" for i in found], str(n), end, PAGE - 10, times=found)

    def written(self, number: int) -> datetime:
        """When a post was written."""
        return START - timedelta(seconds=number // 2)

    def _look(self, fresh: int) -> None:
        self.given += fresh
        if self.given // self._every > len(self._looks):
            gc.collect()
            self._looks.append(sys.getallocatedblocks())

    def _made(
        self, keys: list[str], cursor: str | None, end: str | None, fresh: int, times: Sequence[int] = ()
    ) -> RawPage:
        self._look(fresh)
        return RawPage(
            operation="SearchTimeline", route="x", request={}, body=b"{}" * 500, fetched_at=START, duration_ms=1,
            requests=1, entry_keys=keys, cursor_in=cursor, cursor_out=None if end else str(int(cursor or 0) + 1),
            account_id="a", proxy_id=None, end_reason=end,
            oldest_at=self.written(times[-1]) if times else None, newest_at=self.written(times[0]) if times else None,
        )  # fmt: skip


class StoringLog:
    """A log behind which every page is stored before anything else happens; it keeps nothing itself."""

    def __init__(self, progress: ProgressService) -> None:
        self._progress = progress

    async def publish(self, messages: Sequence[Message]) -> None:
        """Confirm each page."""
        for message in messages:
            page = msgspec.json.decode(message.value, type=PageCollected)
            stored = PageStored(
                execution_id=page.execution_id, task_id=page.task_id, owner_id=page.owner_id, page_no=page.page_no,
                attempt=page.attempt, stored_at=START, matched=len(page.match_keys), context=0,
                new=len(page.match_keys), updated=0, unchanged=0, duplicate=0,
            )  # fmt: skip
            await self._progress.record([stored])


class Bench:
    """A collector on real tables."""

    def __init__(self, store: Store, looks: Looks, count: int, every: int) -> None:
        clock = SystemClock()
        self.store = store
        self.looks = looks
        self.source = EndlessSource(count, looks, every)
        self.checkpoints = Checkpoints(store, clock, Rules(timedelta(hours=1), timedelta(hours=24)))
        self.collector = Collector(
            checkpoints=self.checkpoints,
            log=cast(EventLog, StoringLog(ProgressService(store, clock))),
            sources={"x": cast(Source, self.source)},
            sessions=FakeSessions(),
            planner=Planner(self.checkpoints, clock, timedelta(hours=1)),
            clock=clock,
            topic="xget.pages",
        )

    async def run(self, task_type: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """An execution to its end: its certificate."""
        body = TaskWrite(task_name="AI", task_type=task_type)
        async with self.store.transaction() as unit:
            draft = Draft("ada", ["ada"], task_type, parameters, None, body)
            await TaskService(unit, SystemClock(), "xget.tasks").create(draft)
        job = await self.checkpoints.claim("worker")
        assert job is not None
        await self.collector.run(job, asyncio.Event())
        async with self.store.read() as unit:
            certificate = await unit.pages.certificate(job.execution_id)
        assert certificate is not None
        return certificate.body


async def collect(url: str, posts: int, targets: int) -> dict[str, Any]:
    """The certificate and the looks of one execution."""
    looks: Looks = []
    database = Database(url)
    try:
        if targets:
            bench = Bench(Store(database), looks, 0, targets // 4 - 1)
            body = await bench.run("USER_TWEETS", {"usernames": [f"user{n}" for n in range(targets)]})
        else:
            bench = Bench(Store(database), looks, posts, posts // 4 - PAGE)
            body = await bench.run("KEYWORD_SEARCH", {"query": "AI"})
    finally:
        await database.close()
    return {"certificate": body, "blocks": looks}


if __name__ == "__main__":
    sys.stdout.write(
        msgspec.json.encode(asyncio.run(collect(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))).decode()
    )
