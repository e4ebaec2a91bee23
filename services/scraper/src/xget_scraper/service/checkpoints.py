"""What a worker writes: claims, heartbeats, checkpoints, waits and ends, each one fenced transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from xget_kernel.clock import Clock
from xget_scraper.models import Execution, ExecutionTarget, Move, Phase, Segment
from xget_scraper.repository import Store, Unit
from xget_scraper.service.jobs import Job, LeaseLostError, Work
from xget_scraper.service.observing import note_page
from xget_scraper.service.routes import most_tries, note_route, pause_after, rest_after
from xget_scraper.service.segments import Rest, close, give_up, limit_reached
from xget_scraper.service.settling import finish, settle, show
from xget_sources.ports import RawPage

AGAIN: Final = " Try "  # parts why an attempt failed from which one follows
SHORTEST_WAIT: Final = timedelta(seconds=0.2)
MOST_HURRIED: Final = 100
"""Executions that one announcement of room lets go on."""
OUTAGE_PAUSE: Final = timedelta(seconds=5)
TARGET_ENDS: Final = frozenset({"not_found", "protected", "suspended", "unavailable", "source_error"})
"""Why a source may give up a target while others go on."""


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
            trouble = (execution.message or "").rpartition(AGAIN)[0]
            execution.message = "Collecting." if execution.page_no == 0 else "Collecting; it went on from a checkpoint."
            await show(unit, execution, now)
            return Job.of(execution, task, until, trouble)

    async def next_due(self) -> datetime | None:
        """When the first waiting execution may be claimed."""
        async with self._store.read() as unit:
            return await unit.executions.next_due()

    async def beat(self, worker: str, executions: Collection[str]) -> tuple[set[str], datetime]:
        """Prolong the leases of these executions; those that are still the worker's, and until when."""
        until = self._clock.now() + self._rules.lease
        async with self._store.transaction() as unit:
            return await unit.executions.prolong(worker, executions, until), until

    async def begin(self, job: Job) -> bool:
        """Take the next segment in hand; False when the execution has no open one."""
        async with self._store.read() as unit:
            found = await unit.segments.next_open(job.execution_id)
        job.work = Work.of(*found) if found else None
        return found is not None

    async def known(self, job: Job, page: RawPage) -> frozenset[str]:
        """The page's entries that earlier pages of the execution gave as matches: asked for, never kept."""
        if not job.matched or not page.entry_keys:
            return frozenset()
        async with self._store.read() as unit:
            return await unit.matches.known(job.execution_id, page.entry_keys)

    async def record(self, job: Job, page: RawPage, sha256: str, picked: list[str], reason: str | None) -> bool:
        """Checkpoint a published page and, with `reason`, the segment's end; True when the execution ends here."""
        now = self._clock.now()
        async with self.held(job) as (unit, execution):
            row = await unit.pages.obtain(job.execution_id, job.page_no + 1)
            row.attempt, row.segment = job.fence, job.segment
            row.operation, row.route = page.operation, page.route
            row.cursor_in, row.cursor_out = page.cursor_in, page.cursor_out
            row.sha256, row.bytes = sha256, len(page.body)
            row.requests, row.fetched_at = page.requests, page.fetched_at
            row.account_id, row.proxy_id = page.account_id, page.proxy_id
            row.settle()
            await unit.matches.add(execution, picked)
            await note_page(unit, job, page, picked)
            _advance(execution, page, len(picked))
            segment, target = await unit.segments.get(execution.id, job.segment)
            note_route(execution, segment, job, page, now)
            _move(segment, target, page, len(picked))
            execution.lease_until = job.lease_until = now + self._rules.lease
            await self._after_page(unit, execution, job.segment, reason, rest_after(job, page, reason))
            return execution.phase != Phase.COLLECTING

    async def _after_page(
        self, unit: Unit, execution: Execution, n: int, reason: str | None, rest: Rest | None
    ) -> None:
        now, limit = self._clock.now(), execution.match_limit
        if limit is not None and execution.published_matches >= limit:
            await limit_reached(unit, execution, now)
        elif reason is not None:
            await close(unit, execution, n, reason, now, rest=rest)
        if execution.phase == Phase.COLLECTING and execution.stop_requested:
            await finish(unit, execution, "cancelled", None, now)
        elif execution.phase == Phase.COLLECTING:
            execution.advance(Move.CHECKPOINT)

    async def end(self, job: Job, reason: str, detail: str | None = None) -> None:
        """Nothing more can be collected, of no segment."""
        async with self.held(job) as (unit, execution):
            await finish(unit, execution, reason, detail, self._clock.now())

    async def close(self, job: Job, n: int, reason: str) -> bool:
        """The source ended segment `n` without a page more; True when the execution ends with it."""
        async with self.held(job) as (unit, execution):
            await close(unit, execution, n, reason, self._clock.now())
            return execution.phase != Phase.COLLECTING

    async def fail(self, job: Job, n: int, reason: str, detail: str) -> bool:
        """The target of segment `n` cannot be collected; True when the execution ends with it."""
        async with self.held(job) as (unit, execution):
            await self._fail(unit, execution, n, reason, detail)
            return execution.phase != Phase.COLLECTING

    async def hand_over(self, job: Job) -> None:
        """Give the execution back, to be claimed at once."""
        async with self.held(job) as (unit, execution):
            execution.resumes += 1
            await self._requeue(unit, execution, None, "Waits for another worker.")

    async def wait(self, job: Job, detail: str, resume_at: datetime, accounts: int = 0) -> None:
        """Wait until some accounts have room, or end when that takes too long."""
        now = self._clock.now()
        async with self.held(job) as (unit, execution):
            execution.waiting_since = execution.waiting_since or now
            if resume_at - execution.waiting_since > self._rules.max_wait:
                await finish(unit, execution, "rate_limited_out", detail, now)
            else:
                when = max(resume_at, now + SHORTEST_WAIT)
                execution.waits_for, execution.room_accounts = "account", accounts or None
                await self._requeue(unit, execution, when, f"{detail} It resumes {when:%H:%M} UTC{_with(accounts)}.")

    async def room(self, pools: Collection[tuple[str, str]]) -> int:
        """Accounts of these owners and platforms have room: the best that wait for them go on; how many."""
        async with self._store.transaction() as unit:
            return await unit.executions.hurry(pools, self._clock.now(), MOST_HURRIED)

    async def retry(self, job: Job, reason: str, detail: str) -> None:
        """Ask for the same page again after a pause, or end after too many tries."""
        now = self._clock.now()
        async with self.held(job) as (unit, execution):
            execution.tries += 1
            execution.retries += 1
            most = most_tries(job)
            if execution.tries >= most:
                detail = f"{detail} It was tried {most} times."
                if reason in TARGET_ENDS and job.work is not None:
                    await self._fail(unit, execution, job.segment, reason, detail)
                    if execution.phase == Phase.COLLECTING:
                        await self._requeue(unit, execution, None, f"{detail} It goes on with the rest.")
                else:
                    await finish(unit, execution, reason, detail, now)
            else:
                again = f"{detail}{AGAIN}{execution.tries + 1} of {most} follows."
                execution.waits_for = "retry"
                await self._requeue(unit, execution, now + pause_after(job, execution.tries), again)

    async def sit_out(self, job: Job, detail: str) -> None:
        """Wait for a part of XGet that is away; this is nobody's fault and has no limit of tries."""
        async with self.held(job) as (unit, execution):
            execution.waits_for = "service"
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

    async def _fail(self, unit: Unit, execution: Execution, n: int, reason: str, detail: str) -> None:
        await give_up(unit, execution, n, reason, detail=detail, now=self._clock.now())
        if execution.phase == Phase.COLLECTING and execution.stop_requested:
            await finish(unit, execution, "cancelled", None, self._clock.now())

    async def _requeue(
        self, unit: Unit, execution: Execution, when: datetime | None, message: str, *, move: Move = Move.HAND_BACK
    ) -> None:
        now = self._clock.now()
        if execution.stop_requested:
            await finish(unit, execution, "cancelled", None, now)
            return
        execution.advance(move)
        execution.resume_at, execution.message = when, message
        await show(unit, execution, now)

    @asynccontextmanager
    async def held(self, job: Job) -> AsyncIterator[tuple[Unit, Execution]]:
        """A transaction with the job's execution locked."""
        async with self._store.transaction() as unit:
            execution = await unit.executions.held(job.execution_id, job.fence)
            if execution is None:
                raise LeaseLostError
            yield unit, execution


def _with(accounts: int) -> str:
    return f", {accounts} account{'' if accounts == 1 else 's'}" if accounts else ""


def _advance(execution: Execution, page: RawPage, matches: int) -> None:
    execution.page_no += 1
    execution.published_matches += matches
    execution.account_id = page.account_id or execution.account_id
    execution.proxy_id = page.proxy_id
    execution.requests += page.requests
    execution.bytes += len(page.body)
    execution.tries, execution.waiting_since = 0, None


def _move(segment: Segment, target: ExecutionTarget, page: RawPage, matches: int) -> None:
    segment.cursor = page.cursor_out
    for row in (segment, target):
        row.pages += 1
        row.matched += matches
        row.oldest_at = min(filter(None, (row.oldest_at, page.oldest_at)), default=None)
    target.newest_at = max(filter(None, (target.newest_at, page.newest_at)), default=None)
