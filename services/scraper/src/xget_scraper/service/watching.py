"""The news of a task, from now to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_scraper.errors import TaskNotFound
from xget_scraper.models import Execution, Status, Task
from xget_scraper.repository import Store
from xget_scraper.schemas.execution import Waiting
from xget_scraper.schemas.task import Progress

ENDED: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.STOPPED})


class WatchService:
    """Looks at the rows, so that it tells the truth whichever process changes them."""

    def __init__(self, store: Store, clock: Clock, seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds

    async def watch(self, task_id: str, caller: Caller) -> AsyncGenerator[tuple[int, Progress]]:
        """The present state, then each change with the task's revision, until the task has ended or is gone.

        Raises TaskNotFound (404) at the first step only.
        """
        seen = await self._look(task_id, caller)
        if seen is None:
            raise TaskNotFound
        yield seen
        while seen[1].status not in ENDED:
            await self._clock.sleep(self._seconds)
            news = await self._look(task_id, caller)
            if news is None:
                return
            if news[0] != seen[0]:
                seen = news
                yield news

    async def _look(self, task_id: str, caller: Caller) -> tuple[int, Progress] | None:
        async with self._store.read() as unit:
            task = await unit.tasks.get(task_id, caller.owner_filter)
            if task is None:
                return None
            execution = await unit.executions.get(task.execution_id, None) if task.execution_id else None
        return task.rev, _progress(task, execution)


def _progress(task: Task, execution: Execution | None) -> Progress:
    return Progress(
        task_id=task.id,
        execution_id=task.execution_id,
        status=Status(task.status),
        progress=task.progress,
        result_count=task.result_count,
        matched=execution.matched if execution else 0,
        context=execution.context if execution else 0,
        limit=execution.match_limit if execution else None,
        pages=execution.page_no if execution else 0,
        targets=execution.targets if execution else 0,
        targets_done=execution.targets_done if execution else 0,
        message=task.message,
        waiting=Waiting.of(task.waiting),
        error_message=task.error_message,
        end_reason=execution.end_reason if execution else None,
        resume_at=execution.resume_at if execution else None,
        updated_at=task.updated_at,
    )
