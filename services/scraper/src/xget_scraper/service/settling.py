"""How executions end: a reason first, the certificate when storage has every page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from xget_kernel.pages import PageQuery
from xget_scraper.models import ENDINGS, Certificate, Execution, Move, Phase, Status
from xget_scraper.repository import UNFINISHED, Unit
from xget_scraper.schemas.execution import CertificateRead, Counts, Failover, RouteUse
from xget_scraper.schemas.segment import GapRead, TargetRead
from xget_scraper.service.observing import NOT_SHOWN, execution_ended

FIRST: Final = PageQuery(page=1, size=20)
"""Gaps and failed targets that a certificate lists."""


async def finish(
    unit: Unit, execution: Execution, reason: str, detail: str | None, now: datetime, *, move: Move = Move.FINISH
) -> None:
    """Nothing more is collected, for `reason`; the execution ends as soon as storage has all its pages."""
    execution.end_reason = reason
    execution.end_detail = detail
    execution.resume_at = None
    execution.message = "Everything is collected; storage writes the last pages."
    execution.advance(move)
    await execution_ended(unit, execution, reason, now)
    await settle(unit, execution, now)


async def settle(unit: Unit, execution: Execution, now: datetime) -> bool:
    """End a draining execution if storage has every page; True when it ended. Brings its task up to date too."""
    await unit.flush()
    ends = execution.phase == Phase.DRAINING and not await unit.pages.unsettled(execution.id)
    if ends:
        ending = ENDINGS[str(execution.end_reason)]
        execution.completed_at = now
        execution.message = execution.end_detail or ending.sentence
        execution.error_message = execution.message if ending.status is Status.FAILED else None
        execution.advance(Move.SETTLE)
        await certify(unit, execution, now)
    await show(unit, execution, now)
    return ends


async def show(unit: Unit, execution: Execution, now: datetime) -> None:
    """Bring the task up to date with its latest execution."""
    task = await unit.tasks.lock_state(execution.task_id)
    if task is None or task.execution_id != execution.id:
        return
    task.status = execution.status
    task.active = execution.phase != Phase.ENDED
    task.message = execution.message
    task.waiting = execution.waiting
    task.error_message = execution.error_message
    task.result_count = execution.matched
    task.progress = progress_of(execution)
    task.touch(now)


def progress_of(execution: Execution) -> int | None:
    """Per cent of the limit or else of several targets; 100 when completed, None while there is neither."""
    if execution.status == Status.COMPLETED:
        return 100
    if execution.match_limit is None:
        return min(99, execution.targets_done * 100 // execution.targets) if execution.targets > 1 else None
    return min(99, execution.matched * 100 // execution.match_limit)


async def certify(unit: Unit, execution: Execution, now: datetime) -> None:
    """Write the certificate, or write it anew after storage has corrected a page of an ended execution."""
    await unit.flush()
    body = (await _certificate(unit, execution, now)).model_dump(mode="json")
    certificate = await unit.pages.certificate(execution.id)
    if certificate is None:
        unit.pages.add_certificate(Certificate(execution_id=execution.id, body=body, issued_at=now))
    else:
        certificate.body = body
        certificate.issued_at = now


async def _certificate(unit: Unit, execution: Execution, now: datetime) -> CertificateRead:
    reason = str(execution.end_reason)
    pages, segments = unit.pages, unit.segments
    gaps = await unit.gaps.count(execution.id, UNFINISHED)
    fine = NOT_SHOWN if execution.lookup else ()
    failed, failed_total = await segments.failed(execution.id, FIRST, fine=fine)
    execution.complete = ENDINGS[reason].complete and not gaps and not failed_total
    first, last = await pages.ends(execution.id)
    first_id, first_at = await pages.oldest(execution.id)
    last_id, last_at = await pages.newest(execution.id)
    return CertificateRead(
        task_id=execution.task_id,
        execution_id=execution.id,
        status=Status(execution.status),
        end_reason=reason,
        complete=execution.complete,
        sentence=execution.end_detail or ENDINGS[reason].sentence,
        pages=await pages.count(execution.id),
        cursor_first=first.cursor_in if first else None,
        cursor_last=last.cursor_out if last else None,
        first_id=first_id,
        first_at=first_at,
        last_id=last_id,
        last_at=last_at,
        counts=Counts.of(execution),
        accounts=list(await pages.distinct(execution.id, "account_id")),
        routes=list(await pages.distinct(execution.id, "route")),
        by_route=[
            RouteUse(route=route, pages=count, requests=requests)
            for route, count, requests in await pages.by_route(execution.id)
        ],
        failovers=[Failover.model_validate(one) for one in execution.failovers or []],
        requests=execution.requests,
        bytes=execution.bytes,
        duration=execution.duration,
        started_at=execution.started_at,
        completed_at=execution.completed_at or now,
        retries=execution.retries,
        resumes=execution.resumes,
        backfill_of=execution.backfill_of,
        targets=execution.targets,
        windows=execution.segments,
        gaps=[GapRead.of(gap) for gap in await unit.gaps.list(execution.id, UNFINISHED, FIRST)],
        gaps_total=gaps,
        failed_targets=[TargetRead.of(target) for target in failed],
        failed_targets_total=failed_total,
        issued_at=now,
    )
