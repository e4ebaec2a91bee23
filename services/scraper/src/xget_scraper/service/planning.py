"""The first segments of an execution: its targets one by one, or what another run of the same wish is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from pydantic import BaseModel

from xget_kernel.clock import Clock
from xget_scraper.models import Execution, ExecutionTarget, Segment
from xget_scraper.repository import Unit
from xget_scraper.service.checkpoints import Checkpoints
from xget_scraper.service.jobs import Job
from xget_scraper.service.segments import add_segment, conclude, digest
from xget_scraper.service.windows import Window, joined, rest_of
from xget_sources.ports import Source, SourceStopped, Target, TaskTypeSpec

PIECE: Final = 500
"""Targets that one transaction inserts."""


class Planner:
    """Inserts targets in pieces, each one fenced transaction; a run that was killed goes on behind the last one."""

    def __init__(self, checkpoints: Checkpoints, clock: Clock, overlap: timedelta) -> None:
        self._checkpoints = checkpoints
        self._clock = clock
        self._overlap = overlap

    async def plan(self, job: Job, source: Source) -> None:
        """See that every target has its segments. Raises SourceStopped for a wish that is not valid (any more)."""
        spec = spec_of(source, job)
        targets: Iterator[Target] | None = None
        while not job.planned:
            async with self._checkpoints.held(job) as (unit, execution):
                if await self._mend(unit, execution):
                    continue
                if targets is None:
                    targets = await _left(unit, execution, source, job)
                piece = list(islice(targets, PIECE))
                await self._insert(unit, execution, spec, piece)
                execution.planned = job.planned = len(piece) < PIECE
                if execution.planned and not execution.segments:
                    await conclude(unit, execution, self._clock.now())

    async def _mend(self, unit: Unit, execution: Execution) -> bool:
        """Copy a piece of what the mended run is missing; False when all of that is copied."""
        if execution.backfill_of is None:
            return False
        last = await unit.segments.last_target(execution.id)
        found = await unit.segments.to_mend(execution.backfill_of, last, PIECE)
        for target, segments in found:
            copy = ExecutionTarget(
                execution_id=execution.id,
                n=target.n,
                label=target.label,
                parameters=target.parameters,
                newest_at=target.newest_at,
                pages=0,
                matched=0,
            )
            unit.segments.add(copy)
            execution.targets += 1
            _copy(unit, execution, segments)
        return bool(found)

    async def _insert(self, unit: Unit, execution: Execution, spec: TaskTypeSpec, piece: Sequence[Target]) -> None:
        marks: Mapping[str, datetime] = {}
        if execution.continues:
            marks = await unit.segments.marks(
                execution.task_id, execution.wish, [digest(target.label) for target in piece]
            )
        for n, target in enumerate(piece, await _planned(unit, execution) + 1):
            row = ExecutionTarget(
                execution_id=execution.id, n=n, label=target.label, parameters=dict(target.parameters),
                pages=0, matched=0,
            )  # fmt: skip
            mark = marks.get(digest(target.label))
            row.newest_at = mark
            unit.segments.add(row)
            execution.targets += 1
            window = self._window(spec, target, mark) if target.windowed else Window(None, None)
            add_segment(unit, execution, n, window, windowed=target.windowed)

    def _window(self, spec: TaskTypeSpec, target: Target, mark: datetime | None) -> Window:
        own = spec.parameters.model_validate(dict(target.parameters))
        since, until = window_of(own)
        if mark is not None:
            again = mark - self._overlap
            since = max(since, again) if since else again
        return Window(since, until)


def spec_of(source: Source, job: Job) -> TaskTypeSpec:
    """The task type of a job. Raises SourceStopped when its source has it no more."""
    spec = source.task_types.get(job.task_type)
    if spec is None:
        raise SourceStopped("source_error", f"The platform {job.platform} has no task type {job.task_type} any more.")
    return spec


def window_of(parameters: BaseModel) -> tuple[datetime | None, datetime | None]:
    """The window that parameters ask for themselves."""
    return getattr(parameters, "since", None), getattr(parameters, "until", None)


async def _left(unit: Unit, execution: Execution, source: Source, job: Job) -> Iterator[Target]:
    """The targets that have no rows yet, neither here nor in the run that is mended."""
    if execution.backfill_of is not None:
        mended = await unit.executions.get(execution.backfill_of, None)
        if mended is None or mended.planned:
            return iter(())
    return islice(source.targets(job.task_type, dict(job.parameters)), await _planned(unit, execution), None)


async def _planned(unit: Unit, execution: Execution) -> int:
    """How many of the source's targets have rows, here or in the run that is mended."""
    own = await unit.segments.last_target(execution.id)
    return max(own, await unit.segments.last_target(execution.backfill_of)) if execution.backfill_of else own


def _copy(unit: Unit, execution: Execution, segments: Sequence[Segment]) -> None:
    """What one target of the mended run misses: its windows as few as cover them, anything else as it was."""
    for window in joined(rest_of(segment) for segment in segments if segment.windowed):
        add_segment(unit, execution, segments[0].target, window)
    for segment in segments:
        if not segment.windowed:
            add_segment(unit, execution, segment.target, rest_of(segment), windowed=False)
