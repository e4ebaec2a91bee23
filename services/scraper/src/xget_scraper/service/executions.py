"""Use cases of executions and certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xget_kernel.caller import Caller
from xget_kernel.pages import PageQuery
from xget_scraper.errors import ExecutionNotFound, NotEndedYet, TaskNotFound
from xget_scraper.models import Certificate, Execution, ExecutionTarget, Phase, SegmentState
from xget_scraper.repository import UNFINISHED, Unit
from xget_scraper.schemas.segment import GapRead, GapsRead

KNOWN: Final = (SegmentState.GAP.value,)
"""States of segments that are gaps already while their execution runs."""


class ExecutionService:
    """What users ask about runs."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def list(
        self, caller: Caller, *, task_id: str | None, status: str | None, page: PageQuery
    ) -> tuple[Sequence[Execution], int]:
        """One page of the caller's executions, newest first, and how many there are."""
        return await self._unit.executions.list(caller.owner_filter, task_id=task_id, status=status, page=page)

    async def of_task(self, caller: Caller, task_id: str, page: PageQuery) -> tuple[Sequence[Execution], int]:
        """One page of a task's executions, newest first. Raises TaskNotFound (404)."""
        if await self._unit.tasks.get(task_id, caller.owner_filter) is None:
            raise TaskNotFound
        return await self._unit.executions.list(None, task_id=task_id, status=None, page=page)

    async def get(self, execution_id: str, caller: Caller) -> Execution:
        """Raises ExecutionNotFound (404) for a missing or foreign one."""
        execution = await self._unit.executions.get(execution_id, caller.owner_filter)
        if execution is None:
            raise ExecutionNotFound
        return execution

    async def targets(
        self, execution_id: str, caller: Caller, *, end_reason: str | None, page: PageQuery
    ) -> tuple[Sequence[ExecutionTarget], int]:
        """One page of what an execution is about, and how many there are. Raises ExecutionNotFound (404)."""
        execution = await self.get(execution_id, caller)
        return await self._unit.segments.targets(execution.id, end_reason, page)

    async def gaps(self, execution_id: str, caller: Caller, page: PageQuery) -> GapsRead:
        """One page of what an execution misses; while it runs, what is known by now. Raises ExecutionNotFound (404)."""
        execution = await self.get(execution_id, caller)
        segments = self._unit.segments
        states = UNFINISHED if execution.phase in (Phase.DRAINING, Phase.ENDED) else KNOWN
        since, until = await segments.span(execution.id)
        found = [GapRead.of(segment, label) for segment, label in await segments.gaps(execution.id, states, page)]
        total = await segments.missing(execution.id, states)
        return GapsRead(
            since=since,
            until=until or execution.started_at,
            items=found,
            page=page.page,
            size=page.size,
            total=total,
            pages=-(-total // page.size),
        )

    async def certificate(self, execution_id: str, caller: Caller) -> Certificate:
        """Raises ExecutionNotFound (404), NotEndedYet (409)."""
        execution = await self.get(execution_id, caller)
        certificate = await self._unit.pages.certificate(execution.id)
        if certificate is None:
            raise NotEndedYet
        return certificate
