"""Use cases of tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery
from xget_scraper.errors import (
    NothingMissing,
    TaskAlreadyRunning,
    TaskBusy,
    TaskChanged,
    TaskNotFound,
    TaskNotRunning,
)
from xget_scraper.events import execution_requested
from xget_scraper.models import Execution, Move, Phase, Status, Task
from xget_scraper.models.curves import seconds
from xget_scraper.repository import Unit
from xget_scraper.service.drafts import WRITERS, Draft
from xget_scraper.service.settling import finish
from xget_telemetry.tracing import traceparent

UNDER_WAY: Final = (Phase.QUEUED, Phase.COLLECTING)


class TaskService:
    """What users do with tasks, within one transaction. `topic` is where executions are announced."""

    def __init__(self, unit: Unit, clock: Clock, topic: str) -> None:
        self._unit = unit
        self._clock = clock
        self._topic = topic
        self._held: Mapping[str, Execution] = {}

    async def create(self, draft: Draft) -> Task:
        """Store a task; with `immediate` its first execution is queued in the same transaction."""
        now = self._clock.now()
        task = Task(
            id=new_id(),
            user_id=draft.owner,
            created_at=now,
            updated_at=now,
            status=Status.PENDING.value,
            rev=0,
            progress=0,
            result_count=0,
            active=False,
        )
        _fill(task, draft)
        task.touch(now)
        self._unit.tasks.add(task)
        await self._unit.flush()
        if task.immediate:
            self._queue(task, now)
        return task

    async def get(self, task_id: str, caller: Caller) -> Task:
        """Raises TaskNotFound (404) for a missing or foreign task."""
        task = await self._unit.tasks.get(task_id, caller.owner_filter)
        if task is None:
            raise TaskNotFound
        return task

    async def list(
        self, caller: Caller, filters: Mapping[str, Any], sort: str, page: PageQuery
    ) -> tuple[Sequence[Task], int]:
        """One page of the caller's tasks (an administrator sees all) and how many there are."""
        return await self._unit.tasks.list(caller.owner_filter, filters, sort, page)

    async def status(self, task_id: str, caller: Caller) -> tuple[Task, Execution | None]:
        """A task and its latest execution. Raises TaskNotFound (404)."""
        task = await self.get(task_id, caller)
        return task, await self._latest(task)

    async def replace(self, task: Task, draft: Draft) -> Task:
        """Change what a task wants, from `hold`. Raises TaskBusy (409) while it is queued or running."""
        if task.active:
            raise TaskBusy(task.id, "changed")
        now, before = self._clock.now(), (task.platform, task.reobserve)
        _fill(task, draft)
        task.touch(now)
        if task.reobserve is None or task.platform != before[0]:
            await self._observe_no_more(task, now)
        elif task.reobserve != before[1]:
            await self._unit.observations.bend(task.id, task.reobserve, seconds(now))
        return task

    async def delete(self, task_id: str, caller: Caller) -> None:
        """Delete a task and its executions; items stay in storage. Raises TaskNotFound (404), TaskBusy (409)."""
        await self._unit.executions.lock_of_task((await self._writable(task_id, caller)).id)
        task = await self.change(task_id, caller)
        if task.active:
            raise TaskBusy(task_id, "deleted")
        await self._unit.tasks.delete(task)

    async def start(self, task_id: str, caller: Caller, *, continuing: Callable[[Task], None] | None = None) -> Task:
        """Queue one more execution. Raises TaskNotFound (404), TaskAlreadyRunning (409).

        With `continuing` it begins where earlier runs were complete; `continuing` raises for a task that cannot.
        """
        task = await self._idle(task_id, caller)
        if continuing is not None:
            continuing(task)
        self._queue(task, self._clock.now()).continues = continuing is not None
        return task

    async def backfill(self, task_id: str, caller: Caller) -> Task:
        """Queue an execution of what the last one is missing.

        Raises TaskNotFound (404), TaskAlreadyRunning, TaskChanged, NothingMissing (409).
        """
        task = await self._idle(task_id, caller)
        mended = await self._mended(task)
        execution = self._queue(task, self._clock.now())
        execution.backfill_of = mended.id
        if mended.match_limit is not None:
            execution.match_limit = max(mended.match_limit - mended.published_matches, 0) or mended.match_limit
        return task

    async def _idle(self, task_id: str, caller: Caller) -> Task:
        task = await self.change(task_id, caller)
        if task.active:
            raise TaskAlreadyRunning(task_id)
        return task

    async def _mended(self, task: Task) -> Execution:
        """The run whose missing parts are the task's: the last one that has begun to collect anything."""
        latest = await self._latest(task)
        while latest is not None and latest.backfill_of is not None and not latest.planned:
            latest = await self._unit.executions.get(latest.backfill_of, None)
        if latest is None:
            raise NothingMissing
        if latest.wish != task.wish:
            raise TaskChanged(task.id)
        if latest.planned and not await self._unit.segments.missing(latest.id):
            raise NothingMissing
        return latest

    async def stop(self, task_id: str, caller: Caller) -> Task:
        """Ask a queued or running task to stop within one page, and observe nothing of it any more.

        Raises TaskNotFound (404), TaskNotRunning (409) when there is neither to stop.
        """
        latest = (await self._writable(task_id, caller)).execution_id
        task = await self.hold(task_id, caller, also=latest)
        now = self._clock.now()
        observed = await self._observe_no_more(task, now)
        execution = self._held.get(latest or "") if task.active and task.execution_id == latest else None
        if execution is None:
            if not observed:
                raise TaskNotRunning
            task.message = "Its posts are not observed any more, as was asked for."
            task.touch(now)
        elif await self._stop(execution, now):
            task.message = "Stops after the page in hand."
            task.touch(now)
        return task

    async def hold(self, task_id: str, caller: Caller, *, also: str | None = None) -> Task:
        """As `change`, with the executions locked before it that look again, and this one."""
        await self._writable(task_id, caller)
        looking = await self._unit.observations.looking(task_id)
        self._held = await self._unit.executions.lock_all([one for one in (looking, also) if one])
        return await self.change(task_id, caller)

    async def change(self, task_id: str, caller: Caller) -> Task:
        """The task, locked for a change. Raises Forbidden (403), TaskNotFound (404)."""
        caller.require(*WRITERS)
        task = await self._unit.tasks.lock(task_id, caller.owner_filter)
        if task is None:
            raise TaskNotFound
        return task

    async def _writable(self, task_id: str, caller: Caller) -> Task:
        """The task as it is now, not locked: its executions are locked before it. Raises as `change` does."""
        caller.require(*WRITERS)
        return await self.get(task_id, caller)

    async def _stop(self, execution: Execution, now: datetime) -> bool:
        """End an execution that waits; True for one that ends after the page in hand."""
        execution.stop_requested = True
        if execution.phase == Phase.QUEUED:
            await finish(self._unit, execution, "cancelled", None, now, move=Move.CANCEL)
            return False
        return True

    async def _observe_no_more(self, task: Task, now: datetime) -> bool:
        """See nothing of a task again; whether there was anything. The caller has it from `hold`."""
        looks = [one for one in self._held.values() if one.lookup is not None and one.phase in UNDER_WAY]
        for execution in looks:
            await self._stop(execution, now)
        return await self._unit.observations.drop(task.id) or bool(looks)

    def _queue(self, task: Task, now: datetime) -> Execution:
        execution = Execution.queued(task, now)
        execution.traceparent = traceparent()
        self._unit.executions.add(execution)
        task.execution_id = execution.id
        task.active = True
        task.status = execution.status
        task.message = "Waits for a worker."
        task.waiting = execution.waiting
        task.error_message = None
        task.result_count = 0
        task.progress = 0 if execution.match_limit else None
        task.touch(now)
        self._unit.emit(self._topic, task.id, execution_requested(execution))
        return execution

    async def _latest(self, task: Task) -> Execution | None:
        return await self._unit.executions.get(task.execution_id, None) if task.execution_id else None


def _fill(task: Task, draft: Draft) -> None:
    body = draft.body
    task.pool_owners = draft.pool_owners
    task.task_name = body.task_name
    task.describe = body.describe
    task.task_type = draft.task_type
    task.platform = body.platform
    task.parameters = draft.parameters
    task.routes = draft.routes
    task.reobserve = body.reobserve
    task.account_id = body.account_id
    task.proxy_id = body.proxy_id
    task.priority = body.priority
    task.immediate = body.immediate
