"""What a worker writes: claims, heartbeats, checkpoints, waits and ends, each one fenced transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from xget_kernel.clock import Clock
from xget_scraper.models import Execution, Move
from xget_scraper.repository import Store, Unit
from xget_scraper.service.jobs import Job, LeaseLostError
from xget_scraper.service.settling import finish, settle, show
from xget_sources.ports import RawPage

TRIES: Final = 6
LONGEST_PAUSE: Final = 16.0
SHORTEST_WAIT: Final = timedelta(seconds=0.2)
OUTAGE_PAUSE: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Rules:
    """Times of a worker."""

    lease: timedelta
    max_wait: timedelta


class Checkpoints:
    """Every method that takes a job raises LeaseLostError when another run has the execution."""

    def __init__(self, store: Store, clock: Clock, rules: Rules) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def claim(self, worker: str) -> Job | None:
        """Take the best execution that waits."""
        async with self._store.transaction() as unit:
            now = self._clock.now()  # after the wait for the write: the lease and `started_at` begin now
            until = now + self._rules.lease
            execution = await unit.executions.claim(worker, now, until)
            if execution is None:
                return None
            task = await unit.tasks.lock(execution.task_id)
            if task is None:
                return None
            execution.message = "Collecting." if execution.page_no == 0 else "Collecting; it went on from a checkpoint."
            await show(unit, execution, now)
            job = Job.of(execution, task, until)
        if job.page_no:
            async with self._store.read() as unit:
                job.seen = await unit.pages.match_keys(job.execution_id)
        return job

    async def next_due(self) -> datetime | None:
        """When the first waiting execution may be claimed."""
        async with self._store.read() as unit:
            return await unit.executions.next_due()

    async def beat(self, worker: str, executions: Collection[str]) -> tuple[set[str], datetime]:
        """Prolong the leases of these executions; those that are still the worker's, and until when."""
        until = self._clock.now() + self._rules.lease
        async with self._store.transaction() as unit:
            return await unit.executions.prolong(worker, executions, until), until

    async def record(self, job: Job, page: RawPage, sha256: str, picked: list[str], reason: str | None) -> bool:
        """Checkpoint a published page and, with `reason`, the end; True when the execution ends here."""
        now = self._clock.now()
        async with self._held(job) as (unit, execution):
            row = await unit.pages.obtain(job.execution_id, job.page_no + 1)
            row.attempt = job.fence
            row.operation, row.route = page.operation, page.route
            row.cursor_in, row.cursor_out = page.cursor_in, page.cursor_out
            row.sha256, row.bytes = sha256, len(page.body)
            row.requests, row.match_keys, row.fetched_at = page.requests, picked, page.fetched_at
            row.account_id, row.proxy_id = page.account_id, page.proxy_id
            row.settle()
            _advance(execution, page, len(picked))
            execution.lease_until = job.lease_until = now + self._rules.lease
            reason = reason or ("cancelled" if execution.stop_requested else None)
            if reason is None:
                execution.advance(Move.CHECKPOINT)
            else:
                await finish(unit, execution, reason, None, now)
        return reason is not None

    async def end(self, job: Job, reason: str, detail: str | None = None) -> None:
        """Nothing more can be collected."""
        async with self._held(job) as (unit, execution):
            await finish(unit, execution, reason, detail, self._clock.now())

    async def hand_over(self, job: Job) -> None:
        """Give the execution back, to be claimed at once."""
        async with self._held(job) as (unit, execution):
            execution.resumes += 1
            await self._requeue(unit, execution, None, "Waits for another worker.")

    async def wait(self, job: Job, detail: str, resume_at: datetime) -> None:
        """Wait until an account has room, or end when that takes too long."""
        now = self._clock.now()
        async with self._held(job) as (unit, execution):
            execution.waiting_since = execution.waiting_since or now
            if resume_at - execution.waiting_since > self._rules.max_wait:
                await finish(unit, execution, "rate_limited_out", detail, now)
            else:
                when = max(resume_at, now + SHORTEST_WAIT)
                await self._requeue(unit, execution, when, f"{detail} It resumes {when:%H:%M} UTC.")

    async def retry(self, job: Job, reason: str, detail: str) -> None:
        """Ask for the same page again after a pause, or end after too many tries."""
        now = self._clock.now()
        async with self._held(job) as (unit, execution):
            execution.tries += 1
            execution.retries += 1
            if execution.tries >= TRIES:
                await finish(unit, execution, reason, f"{detail} It was tried {TRIES} times.", now)
            else:
                pause = timedelta(seconds=min(LONGEST_PAUSE, 2.0 ** (execution.tries - 1)))
                message = f"{detail} Try {execution.tries + 1} of {TRIES} follows."
                await self._requeue(unit, execution, now + pause, message)

    async def sit_out(self, job: Job, detail: str) -> None:
        """Wait for a part of XGet that is away; this is nobody's fault and has no limit of tries."""
        async with self._held(job) as (unit, execution):
            await self._requeue(unit, execution, self._clock.now() + OUTAGE_PAUSE, f"{detail} It is tried again soon.")

    async def sweep(self) -> int:
        """Requeue executions whose worker fell silent and end those that wait for nothing; how many were requeued."""
        now = self._clock.now()
        async with self._store.read() as unit:
            if not await unit.executions.needs_sweep(now):
                return 0
        async with self._store.transaction() as unit:
            expired = await unit.executions.expired(now)
            for execution in expired:
                execution.resumes += 1
                await self._requeue(unit, execution, None, "Resumes: its worker was lost.", move=Move.EXPIRE)
            for execution in await unit.executions.draining():
                if not await unit.pages.unsettled(execution.id):
                    await settle(unit, execution, now)
        return len(expired)

    async def _requeue(
        self, unit: Unit, execution: Execution, when: datetime | None, message: str, *, move: Move = Move.HAND_BACK
    ) -> None:
        now = self._clock.now()
        if execution.stop_requested:
            await finish(unit, execution, "cancelled", None, now)
            return
        execution.advance(move)
        execution.resume_at = when
        execution.message = message
        await show(unit, execution, now)

    @asynccontextmanager
    async def _held(self, job: Job) -> AsyncIterator[tuple[Unit, Execution]]:
        async with self._store.transaction() as unit:
            execution = await unit.executions.held(job.execution_id, job.fence)
            if execution is None:
                raise LeaseLostError
            yield unit, execution


def _advance(execution: Execution, page: RawPage, matches: int) -> None:
    execution.cursor = page.cursor_out
    execution.page_no += 1
    execution.published_matches += matches
    execution.account_id = page.account_id or execution.account_id
    execution.proxy_id = page.proxy_id
    execution.requests += page.requests
    execution.bytes += len(page.body)
    execution.tries = 0
    execution.waiting_since = None
