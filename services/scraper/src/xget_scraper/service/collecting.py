"""One run of an execution: page after page to the log and into checkpoints, until a typed end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from hashlib import sha256
from typing import Final

import zstandard
from msgspec import structs

from xget_contracts.events import PageCollected
from xget_events.codec import message
from xget_events.failures import is_infrastructure
from xget_events.log import EventLog
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_scraper.models import ENDINGS
from xget_scraper.ports import Sessions
from xget_scraper.service.checkpoints import TARGET_ENDS, Checkpoints
from xget_scraper.service.jobs import Job, LeaseLostError, Work
from xget_scraper.service.metrics import CollectorMetrics
from xget_scraper.service.planning import Planner, spec_of, window_of
from xget_scraper.service.routes import Ways
from xget_scraper.service.traces import page_span, run_span
from xget_scraper.service.windows import narrows
from xget_sources.ports import CollectRequest, NoAccount, NotOffered, RawPage, Session, Source, SourceStopped
from xget_telemetry.logs import bind, get_logger
from xget_telemetry.metrics import Registry

LOG = get_logger(__name__)
BIG_BODY: Final = 64 * 1024
"""Bytes from which a body is compressed in a thread."""


class Collector:
    """Runs jobs. Whatever happens to a page, it is first durable in the log and then checkpointed."""

    def __init__(
        self,
        *,
        checkpoints: Checkpoints,
        log: EventLog,
        sources: Mapping[str, Source],
        sessions: Sessions,
        planner: Planner,
        clock: Clock,
        topic: str,
        metrics: Registry | None = None,
    ) -> None:
        self._checkpoints = checkpoints
        self._log = log
        self._sources = sources
        self._routes = getattr(sources, "routes", None) or {source.route: source for source in sources.values()}
        self._sessions = sessions
        self._planner = planner
        self._clock = clock
        self._topic = topic
        self._metrics = CollectorMetrics(metrics or Registry())

    async def run(self, job: Job, draining: asyncio.Event) -> None:
        """Collect until the end, a wait, or `draining`. What cannot be written is left to the lease's end."""
        with bind(task_id=job.task_id, execution_id=job.execution_id), run_span(job):
            try:
                await self._guarded(job, draining)
            except LeaseLostError:
                LOG.info("execution_lost")
            except Exception as error:
                if not is_infrastructure(error):
                    LOG.exception("execution_dropped")
                else:
                    LOG.warning("execution_dropped", reason=str(error))

    async def give_back(self, job: Job) -> None:
        """After a cancelled run: let another worker claim the execution at once, if it is still ours."""
        try:
            await self._checkpoints.hand_over(job)
        except (LeaseLostError, XGetError) as error:
            LOG.info("execution_not_given_back", execution_id=job.execution_id, reason=repr(error))

    async def _guarded(self, job: Job, draining: asyncio.Event) -> None:
        try:
            await self._collect(job, draining)
        except LeaseLostError:
            raise
        except NoAccount as none:
            if none.resume_at is None:
                self._metrics.no_account(job)
                await self._checkpoints.end(job, "no_account", none.detail)
            else:
                self._metrics.waits(job, (none.resume_at - self._clock.now()).total_seconds())
                await self._checkpoints.wait(job, none.detail, none.resume_at, none.accounts)
        except SourceStopped as stopped:
            await self._stopped(job, stopped)
        except Exception as error:
            if is_infrastructure(error):
                LOG.warning("execution_sits_out", reason=repr(error))
                detail = error.detail if isinstance(error, XGetError) else "A part of XGet does not answer."
                await self._checkpoints.sit_out(job, detail)
            else:
                LOG.exception("source_failed")
                await self._checkpoints.retry(
                    job, "source_error", f"The source failed ({type(error).__name__}); the log says more."
                )

    async def _stopped(self, job: Job, stopped: SourceStopped) -> None:
        reason = stopped.reason if stopped.reason in ENDINGS else "source_error"
        if stopped.retryable:
            await self._checkpoints.retry(job, reason, stopped.detail)
        else:
            await self._checkpoints.end(job, reason, stopped.detail)

    async def _collect(self, job: Job, draining: asyncio.Event) -> None:
        source = self._sources.get(job.platform)
        if source is None:
            raise SourceStopped("source_error", f"There is no source for the platform {job.platform} any more.")
        job.routes = job.routes or (source.route,)
        await self._planner.plan(job, source)
        async with self._sessions.open(job.tenant) as session:
            while await self._checkpoints.begin(job):
                assert job.work is not None  # noqa: S101 - begin says so
                if await self._routed(job, job.work, session, draining):
                    return

    async def _routed(self, job: Job, work: Work, session: Session, draining: asyncio.Event) -> bool:
        """The segment in hand by the first of the task's routes that is open, and by the next when that shuts."""
        ways = Ways(job, work, self._routes)
        while True:
            source = ways.next(self._clock.now())
            if source is None:
                refusal = ways.refusal()
                if isinstance(refusal, NoAccount) or refusal.retryable or not ways.failed:
                    raise refusal
                return await self._checkpoints.fail(job, work.segment.n, refusal.reason, refusal.detail)
            try:
                return await self._segment(job, ways, source, session, draining)
            except (NoAccount, SourceStopped) as why:
                if not ways.shut(why, self._clock.now()):
                    raise
                LOG.warning("route_shut", route=work.route, reason=why.detail)

    async def _segment(self, job: Job, ways: Ways, source: Source, session: Session, draining: asyncio.Event) -> bool:
        """The segment in hand from its cursor on; True when this run of the execution is over."""
        work = ways.work
        try:
            request = request_of(source, job, work)
            async with aclosing(_pages(source, request, session, work.cursor)) as pages:
                while (ended := await self._step(job, pages)) is not None:
                    if ended:
                        return True
                    if draining.is_set():
                        await self._checkpoints.hand_over(job)
                        return True
                    if job.work is None:
                        return False
            return await self._checkpoints.close(job, work.segment.n, "stalled" if work.cursor else "exhausted")
        except SourceStopped as stopped:
            if stopped.retryable or stopped.reason not in TARGET_ENDS or isinstance(stopped, NotOffered):
                raise
            grown_old = work.cursor is not None and narrows(work.segment)  # the cursor: the same route goes on below
            if stopped.reason == "source_error" and ways.may_turn and not grown_old:
                raise
            return await self._checkpoints.fail(job, work.segment.n, stopped.reason, stopped.detail)

    async def _step(self, job: Job, pages: AsyncGenerator[RawPage]) -> bool | None:
        """One page, from the source's requests to the checkpoint: whether it ends the execution, None without one."""
        with page_span(job) as span:
            page = await anext(pages, None)
            if page is None:
                return None
            # of what two workers have seen of an item, the later wins: their machines' clocks may differ, this one not
            page = structs.replace(page, fetched_at=self._clock.now())
            span.set_attributes({"xget.operation": page.operation, "xget.entries": len(page.entry_keys)})
            return await self._take(job, page)

    async def _take(self, job: Job, page: RawPage) -> bool:
        picked = job.pick(page, await self._checkpoints.known(job, page))
        digest = sha256(page.body).hexdigest()
        body = await _compressed(page.body)
        if self._clock.now() >= job.lease_until:
            raise LeaseLostError
        collected = _announcement(job, page, digest, body, picked)
        await self._log.publish(
            [message(self._topic, job.execution_id, collected, source="scraper", now=self._clock.now())]
        )
        reason = job.ends_with(page, picked)
        ended = await self._checkpoints.record(job, page, digest, picked, reason)
        job.move_past(page, picked)
        if reason is not None:
            job.work = None
        self._metrics.page(job, page, len(picked))
        LOG.info("page_collected", page_no=job.page_no, operation=page.operation, matches=len(picked), ended=ended)
        return ended


def request_of(source: Source, job: Job, work: Work) -> CollectRequest:
    """What the source is asked for: validated parameters as Python values, and the window where it is another."""
    own = spec_of(source, job).parameters.model_validate(dict(work.parameters))
    since, until = window_of(own)
    segment = work.segment
    return CollectRequest(
        task_type=job.task_type,
        parameters=own.model_dump(exclude={"limit", "limit_per_target"}),
        since=segment.since if segment.since != since else None,
        until=work.until if work.until != until else None,
        wanted=job.room,
        again=job.again,
    )


async def _pages(
    source: Source, request: CollectRequest, session: Session, cursor: str | None
) -> AsyncGenerator[RawPage]:
    """The source's pages as a generator, so that leaving early closes the source's own too."""
    pages = source.collect(request, session, cursor)
    try:
        async for page in pages:
            yield page
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()


async def _compressed(body: bytes) -> bytes:
    if len(body) < BIG_BODY:
        return zstandard.compress(body)
    return await asyncio.to_thread(zstandard.compress, body)


def _announcement(job: Job, page: RawPage, digest: str, body_zstd: bytes, picked: list[str]) -> PageCollected:
    return PageCollected(
        execution_id=job.execution_id,
        task_id=job.task_id,
        owner_id=job.owner_id,
        page_no=job.page_no + 1,
        attempt=job.fence,
        platform=job.platform,
        route=page.route,
        task_type=job.task_type,
        operation=page.operation,
        fetched_at=page.fetched_at,
        sha256=digest,
        body_zstd=body_zstd,
        match_keys=picked,
        cursor_in=page.cursor_in,
        cursor_out=page.cursor_out,
        request=page.request,
    )
