"""The ends of segments, of targets and so of executions. The caller holds the lock of the execution."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from xget_kernel.pages import PageQuery
from xget_scraper.models import SOUND, Execution, ExecutionTarget, Segment, SegmentState
from xget_scraper.repository import Unit
from xget_scraper.service.observing import as_looks, target_ended
from xget_scraper.service.settling import finish, show
from xget_scraper.service.windows import (
    ENOUGH_FAILURES,
    FRUITLESS,
    REACH,
    STALLED,
    Verdict,
    Window,
    after,
    narrows,
    whole,
)


@dataclass(frozen=True, slots=True)
class Rest:
    """What a route does not reach of a segment: older than `reach`, or than what it has listed."""

    reach: datetime | None
    route: str | None
    """By which the rest is asked for; None: by none."""


async def close(
    unit: Unit, execution: Execution, n: int, reason: str, now: datetime, *, rest: Rest | None = None
) -> None:
    """The source ended a segment for `reason`: write what follows from that, up to the execution's end."""
    segment, target = await unit.segments.get(execution.id, n)
    if rest is not None:
        await _go_back(unit, execution, segment, target, rest=rest, now=now)
        return
    verdict = after(segment, reason, now, shown=target.oldest_at)
    segment.state, segment.end_reason = verdict.state.value, verdict.reason
    segment.end_detail = verdict.detail
    if verdict.gap is not None:
        gap = add_segment(unit, execution, target.n, verdict.gap, parent=segment)
        gap.state, gap.end_reason, gap.end_detail = SegmentState.GAP.value, "stalled", verdict.detail
    for window in verdict.follows:
        add_segment(unit, execution, target.n, window, parent=segment).depth += verdict.fruitless
    await _count_fruitless(unit, execution, target, verdict)
    if verdict.reason == "limit_reached":
        await unit.flush()
        await unit.segments.close_open(execution.id, SegmentState.DONE, "limit_reached", None, target.n)
    await _go_on(unit, execution, target, None, now)


async def _go_back(
    unit: Unit, execution: Execution, segment: Segment, target: ExecutionTarget, *, rest: Rest, now: datetime
) -> None:
    """A route reaches no further back: another one goes on there, or it is known to be missing."""
    segment.state, segment.end_reason = SegmentState.DONE.value, "window_covered"
    top = rest.reach or whole(segment.oldest_at)
    detail = None
    if segment.since is None or top is None or segment.since < top:
        left = add_segment(
            unit, execution, target.n, Window(segment.since, top), windowed=segment.windowed, parent=segment
        )
        left.route, detail = rest.route, None if rest.route else REACH
        if rest.route is None:
            left.state, left.end_reason, left.end_detail = SegmentState.GAP.value, "stalled", REACH
    await _go_on(unit, execution, target, detail, now)


async def give_up(unit: Unit, execution: Execution, n: int, reason: str, *, detail: str, now: datetime) -> None:
    """The source gave up a segment. A window that has listed something goes on below it, as behind a stall.

    For a cursor that has grown too old there is no other way on. Any other target fails; the others go on.
    """
    segment, target = await unit.segments.get(execution.id, n)
    execution.tries = 0
    if reason == "source_error" and narrows(segment):
        await close(unit, execution, n, "stalled", now)
        return
    segment.state, segment.end_reason, segment.end_detail = SegmentState.FAILED.value, reason, detail
    await unit.flush()
    await unit.segments.close_open(execution.id, SegmentState.FAILED, reason, detail, target.n)
    execution.fruitless = execution.fruitless + 1 if reason == "source_error" else 0
    if execution.fruitless >= ENOUGH_FAILURES:
        target.end_reason, target.end_detail = reason, detail
        execution.targets_done += 1
        detail = f"{detail} It was the same with {ENOUGH_FAILURES} targets in a row."
        await finish(unit, execution, reason, detail, now)
        return
    await _go_on(unit, execution, target, detail, now)


async def limit_reached(unit: Unit, execution: Execution, now: datetime) -> None:
    """The execution has as many matches as were wanted: whatever is open is not wanted any more."""
    await unit.flush()
    await unit.segments.close_open(execution.id, SegmentState.DONE, "limit_reached", None)
    await unit.segments.close_targets(execution.id, "limit_reached")
    execution.targets_done = execution.targets
    await finish(unit, execution, "limit_reached", None, now)


async def conclude(unit: Unit, execution: Execution, now: datetime) -> None:
    """No segment is open: end the execution for what its targets ended for."""
    reason = summary(as_looks(execution, await unit.segments.reasons(execution.id)))
    targets, count = await unit.segments.targets(execution.id, None, PageQuery(page=1, size=1))
    await finish(unit, execution, reason, targets[0].end_detail if count == 1 else None, now)


def add_segment(
    unit: Unit,
    execution: Execution,
    target: int,
    window: Window,
    *,
    windowed: bool = True,
    parent: Segment | None = None,
) -> Segment:
    """A new open segment of a target, on its own or in the place of another one."""
    execution.segments += 1
    segment = Segment(
        execution_id=execution.id,
        n=execution.segments,
        target=target,
        parent=parent.n if parent else None,
        windowed=windowed,
        depth=parent.depth if parent else 0,
        since=window.since,
        until=window.until,
        probe=window.probe,
        empties=window.empties,
        state=SegmentState.OPEN.value,
        pages=0,
        matched=0,
    )
    unit.segments.add(segment)
    return segment


def summary(reasons: Collection[str]) -> str:
    """The end reason of an execution whose targets ended for these; `partial` where some of them failed."""
    failed = failures(reasons)
    if failed:
        return failed[0] if len(failed) == len(reasons) else "partial"
    order = ("stalled", "ranking_ended", "limit_reached", "exhausted", "window_covered")
    return next((reason for reason in order if reason in reasons), "exhausted")


def failures(reasons: Collection[str]) -> list[str]:
    """Those of the end reasons that are about a target and not about a window of it."""
    return sorted(reason for reason in reasons if reason not in SOUND and reason != "stalled")


def digest(label: str) -> str:
    """What a target is known by from run to run."""
    return sha256(label.encode()).hexdigest()


async def _count_fruitless(unit: Unit, execution: Execution, target: ExecutionTarget, verdict: Verdict) -> None:
    """Count windows that gave nothing but cursors; after too many in a row the rest of the target is a gap."""
    execution.fruitless = execution.fruitless + 1 if verdict.fruitless else 0
    if execution.fruitless >= FRUITLESS:
        execution.fruitless = 0
        await unit.flush()
        await unit.segments.close_open(execution.id, SegmentState.GAP, "stalled", STALLED, target.n)


async def _go_on(unit: Unit, execution: Execution, target: ExecutionTarget, detail: str | None, now: datetime) -> None:
    await unit.flush()
    if await unit.segments.has_open(execution.id, target.n):
        return
    ended = await unit.segments.endings(execution.id, target.n)
    target.end_reason, target.end_detail = (failures(ended) or [summary(ended)])[0], detail
    execution.targets_done += 1
    await target_ended(unit, execution, target, now)
    if target.end_reason in ("exhausted", "window_covered") and target.newest_at is not None:
        await unit.segments.set_mark(execution.task_id, execution.wish, digest(target.label), target.newest_at)
    await unit.flush()
    if not await unit.segments.has_open(execution.id):
        await conclude(unit, execution, now)
    elif execution.targets > 1:
        execution.message = f"{execution.targets_done} of {execution.targets} targets are done."
        await show(unit, execution, now)
