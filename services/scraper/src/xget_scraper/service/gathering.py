"""Gives posts that are due to executions which look at them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from xget_kernel.clock import Clock
from xget_scraper.events import execution_requested
from xget_scraper.models import Execution, ExecutionTarget, Observation, Task
from xget_scraper.models.curves import seconds
from xget_scraper.repository import Store, Unit
from xget_scraper.service.segments import add_segment
from xget_scraper.service.windows import Window
from xget_sources.ports import Source, Target

BATCH: Final = 200
"""Posts that one execution looks at."""
TASKS: Final = 50
"""Tasks that one round gives executions to."""


class Observer:
    """Gives due posts to executions: a batch of a task's at a time, and the next when that is done."""

    def __init__(self, store: Store, sources: Mapping[str, Source], clock: Clock, topic: str) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._topic = topic

    async def gather(self) -> int:
        """One round; how many executions were made."""
        async with self._store.read() as unit:
            tasks = await unit.observations.due_tasks(seconds(self._clock.now()), TASKS)
        return sum([await self._give(task) for task in tasks])

    async def _give(self, task_id: str) -> bool:
        async with self._store.transaction() as unit:
            task = await unit.tasks.lock(task_id)
            source = self._sources.get(task.platform) if task else None
            if task is None or source is None or await unit.observations.looking(task_id):
                return False
            lookup = source.task_types[task.task_type].seen_again_by if task.task_type in source.task_types else None
            now = self._clock.now()
            rows = await unit.observations.due(task_id, seconds(now), BATCH)
            if lookup is None or not rows:
                return False
            execution = self._queued(task, lookup, now)
            unit.executions.add(execution)
            await unit.flush()
            _plan(unit, execution, rows, targets_of(source, lookup, [row.key for row in rows]))
            unit.emit(self._topic, task.id, execution_requested(execution))
        return True

    def _queued(self, task: Task, lookup: str, now: datetime) -> Execution:
        execution = Execution.queued(task, now)
        execution.lookup, execution.wish, execution.match_limit = lookup, "", None
        execution.immediate, execution.planned = False, True
        execution.message = "Waits for a worker."
        return execution


def targets_of(source: Source, lookup: str, keys: Sequence[str]) -> list[Target]:
    """A target for each key, in their order."""
    many = next(iter(source.task_types[lookup].subjects.values()))
    return list(source.targets(lookup, {many: [key.partition(":")[2] for key in keys]}))


def _plan(unit: Unit, execution: Execution, rows: Sequence[Observation], targets: Sequence[Target]) -> None:
    for n, (row, target) in enumerate(zip(rows, targets, strict=True), 1):
        row.execution_id, row.target = execution.id, n
        unit.segments.add(
            ExecutionTarget(
                execution_id=execution.id, n=n, label=target.label, parameters=dict(target.parameters),
                pages=0, matched=0,
            )
        )  # fmt: skip
        execution.targets += 1
        add_segment(unit, execution, n, Window(None, None), windowed=False)
