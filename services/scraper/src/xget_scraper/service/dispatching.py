"""Keeps a worker's slots filled with the best executions, and its leases alive."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_scraper.service.checkpoints import Checkpoints
from xget_scraper.service.collecting import Collector
from xget_scraper.service.jobs import Job
from xget_telemetry.logs import get_logger

LOG = get_logger(__name__)
BEATS_PER_LEASE: Final = 3


class Dispatcher:
    """Runs up to `slots` jobs at once; on stop they finish the page in hand and go back to the queue."""

    def __init__(
        self,
        name: str,
        checkpoints: Checkpoints,
        collector: Collector,
        clock: Clock,
        *,
        slots: int,
        poll: float,
        lease: timedelta,
        drain: float,
    ) -> None:
        self._name = name
        self._checkpoints = checkpoints
        self._collector = collector
        self._clock = clock
        self._slots = slots
        self._poll = poll
        self._beat_every = lease.total_seconds() / BEATS_PER_LEASE
        self._drain = drain
        self._bell = asyncio.Event()
        self._draining = asyncio.Event()
        self._running: dict[asyncio.Task[None], Job] = {}

    def wake(self) -> None:
        """Look for work now."""
        self._bell.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then drain."""
        beating = asyncio.create_task(self._keep_alive())
        try:
            while not stop.is_set():
                self._bell.clear()
                await self._fill()
                await self._rest(stop, beating)
            self._draining.set()
            await self._finish()
        finally:
            await _cancel([beating, *self._running])

    async def _fill(self) -> None:
        """Claim until all slots are taken or nothing waits."""
        self._reap()
        try:
            while len(self._running) < self._slots:
                job = await self._checkpoints.claim(self._name)
                if job is None:
                    return
                LOG.info("execution_claimed", execution_id=job.execution_id, page_no=job.page_no, fence=job.fence)
                task = asyncio.create_task(self._collector.run(job, self._draining))
                self._running[task] = job
                task.add_done_callback(lambda _: self._bell.set())
        except XGetError as error:
            LOG.warning("claim_failed", reason=error.detail)

    def _reap(self) -> None:
        """Forget jobs that are over; what kills a worker is not caught on the way and ends here."""
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            if not task.cancelled():
                task.result()

    async def _rest(self, stop: asyncio.Event, beating: asyncio.Task[None]) -> None:
        pause = await self._pause()
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in (self._bell, stop)]
        waits.append(asyncio.ensure_future(self._clock.sleep(pause)))
        try:
            await asyncio.wait([*waits, beating], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(waits)
        if beating.done():
            beating.result()

    async def _pause(self) -> float:
        """Seconds until the next look: the poll, or less when an execution's time comes earlier."""
        if len(self._running) >= self._slots:
            return self._poll
        try:
            due = await self._checkpoints.next_due()
        except XGetError:
            return self._poll
        if due is None:
            return self._poll
        return min(self._poll, max(0.01, (due - self._clock.now()).total_seconds()))

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep(self._beat_every)
            held = {job.execution_id: job for task, job in self._running.items() if not task.done()}
            if not held:
                continue
            try:
                alive, until = await self._checkpoints.beat(self._name, held)
            except XGetError as error:
                LOG.warning("heartbeat_failed", reason=error.detail)
                continue
            for execution_id in alive:
                # A job that is not prolonged here drops itself before it publishes anything more.
                held[execution_id].lease_until = max(held[execution_id].lease_until, until)

    async def _finish(self) -> None:
        """Let the pages in hand finish; what takes too long is cancelled and given back."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._drain)
        late = {task: job for task, job in self._running.items() if not task.done()}
        await _cancel(list(late))
        for job in late.values():
            await self._collector.give_back(job)
        self._reap()


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
