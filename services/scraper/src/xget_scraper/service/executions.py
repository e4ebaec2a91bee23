"""Use cases of executions and certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xget_kernel.caller import Caller
from xget_kernel.pages import PageQuery
from xget_scraper.errors import ExecutionNotFound, NotEndedYet, TaskNotFound
from xget_scraper.models import SOUND, Certificate, Execution, ExecutionTarget, Phase, SegmentState
from xget_scraper.models.curves import moment
from xget_scraper.repository import UNFINISHED, Unit
from xget_scraper.schemas.ages import written_all
from xget_scraper.schemas.observation import ObservationsRead
from xget_scraper.schemas.segment import GapRead, GapsRead
from xget_scraper.service.observing import GONE, NOT_SHOWN

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

    async def observations(self, task_id: str, caller: Caller) -> ObservationsRead:
        """What of a task is seen again. Raises TaskNotFound (404)."""
        task = await self._unit.tasks.get(task_id, caller.owner_filter)
        if task is None:
            raise TaskNotFound
        watched = await self._unit.observations.watched(task.id)
        looks = await self._unit.observations.looks(task.id)
        return ObservationsRead(
            task_id=task.id,
            reobserve=written_all(task.reobserve),
            posts=watched.posts,
            looking=watched.looking,
            hidden=watched.hidden,
            next_due_at=None if watched.due is None else moment(watched.due),
            seen=sum(count for reason, count in looks.items() if reason in SOUND),
            not_shown=sum(count for reason, count in looks.items() if reason in NOT_SHOWN - {GONE}),
            gone=looks.get(GONE, 0),
            failed=sum(count for reason, count in looks.items() if reason not in SOUND | NOT_SHOWN),
        )

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
        states = UNFINISHED if execution.phase in (Phase.DRAINING, Phase.ENDED) else KNOWN
        since, until = await self._unit.segments.span(execution.id)
        found = [GapRead.of(gap) for gap in await self._unit.gaps.list(execution.id, states, page)]
        total = await self._unit.gaps.count(execution.id, states)
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
