"""Tasks over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from xget_kernel.errors import Forbidden, XGetError
from xget_scraper.deps import (
    BatchDrafts,
    ChangeDraft,
    Continuing,
    Executions,
    NewDraft,
    Tasks,
    TasksRead,
    Writer,
    draft_of_change,
    draft_of_new,
    drafts_of_batch,
    session,
)
from xget_scraper.errors import (
    InvalidTask,
    NothingMissing,
    TaskAlreadyRunning,
    TaskBusy,
    TaskChanged,
    TaskNotFound,
    TaskNotRunning,
)
from xget_scraper.models import IDEMPOTENCY, Status, Task
from xget_scraper.schemas.observation import ObservationsRead
from xget_scraper.schemas.task import BatchAnswer, BatchRead, StartWrite, TaskRead, TaskSort, TaskStatusRead
from xget_scraper.service.drafts import Draft
from xget_web.auth import CallerDep
from xget_web.etags import IfMatch, Overtaken, check_if_match, etag, set_etag
from xget_web.idempotency import IdempotentRoute, idempotent
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId, text

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"], route_class=IdempotentRoute)

_once = idempotent(session, IDEMPOTENCY)
Word = Annotated[str | None, Query(), text(64, min_length=1)]
TaskId = Annotated[PathId, Path()]


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(draft_of_new), _once],
    responses=errors(Forbidden, InvalidTask),
)
async def create_task(draft: NewDraft, tasks: Tasks, response: Response) -> TaskRead:
    """Create a task. With `immediate` (the default) its first execution is queued at once."""
    return _read(await tasks.create(draft), response, created=True)


@router.get("")
async def list_tasks(
    *,
    tasks: TasksRead,
    caller: CallerDep,
    page: PageParams,
    user_id: Word = None,
    status: Status | None = None,
    task_type: Word = None,
    platform: Word = None,
    priority: Annotated[int | None, Query(ge=1, le=10)] = None,
    sort: TaskSort = "-created_at",
) -> PageOut[TaskRead]:
    """Your tasks (administrators see everyone's), newest first unless sorted otherwise."""
    filters = {
        "user_id": user_id,
        "status": status.value if status else None,
        "task_type": task_type,
        "platform": platform,
        "priority": priority,
    }
    found, total = await tasks.list(caller, filters, sort, page)
    return PageOut[TaskRead].of([TaskRead.of(task) for task in found], page, total)


@router.post(
    "/batch",
    status_code=207,
    dependencies=[Depends(drafts_of_batch), _once],
    responses=errors(Forbidden),
)
async def create_tasks(drafts: BatchDrafts, tasks: Tasks) -> BatchRead:
    """Create up to 100 tasks; each is answered on its own, in order: created or refused."""
    answers = []
    for index, draft in enumerate(drafts):
        if isinstance(draft, Draft):
            task = TaskRead.of(await tasks.create(draft))
            answers.append(BatchAnswer(index=index, status=201, task=task))
        else:
            answers.append(BatchAnswer(index=index, status=draft.status, problem=_problem(draft, index)))
    created = sum(answer.task is not None for answer in answers)
    return BatchRead(items=answers, created=created, refused=len(answers) - created)


@router.get("/{task_id}", responses=errors(TaskNotFound))
async def get_task(task_id: TaskId, tasks: TasksRead, caller: CallerDep, response: Response) -> TaskRead:
    """One task, with its ETag."""
    return _read(await tasks.get(task_id, caller), response)


@router.put(
    "/{task_id}",
    dependencies=[Depends(draft_of_change)],
    responses=errors(Forbidden, TaskNotFound, TaskBusy, InvalidTask, Overtaken),
)
async def replace_task(
    *,
    task_id: TaskId,
    draft: ChangeDraft,
    tasks: Tasks,
    caller: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> TaskRead:
    """Change what a task wants; the next start uses it. Refused while it is queued or running.

    Another `reobserve` counts at once for the posts under observation; without one nothing is seen again.
    """
    task = await tasks.hold(task_id, caller)
    check_if_match(if_match, _etag(task))
    return _read(await tasks.replace(task, draft), response)


@router.delete("/{task_id}", status_code=204, responses=errors(Forbidden, TaskNotFound, TaskBusy))
async def delete_task(task_id: TaskId, tasks: Tasks, caller: Writer) -> None:
    """Delete a task with its executions and certificates; collected items stay in storage."""
    await tasks.delete(task_id, caller)


@router.post(
    "/{task_id}/start",
    status_code=202,
    dependencies=[_once],
    responses=errors(Forbidden, TaskNotFound, TaskAlreadyRunning, InvalidTask),
)
async def start_task(
    *,
    task_id: TaskId,
    tasks: Tasks,
    caller: Writer,
    response: Response,
    continuing: Continuing,
    body: StartWrite | None = None,
) -> TaskRead:
    """Queue one more execution: from the beginning, or with `continue` from where complete runs came to."""
    wanted = body is not None and body.goes_on
    return _read(await tasks.start(task_id, caller, continuing=continuing if wanted else None), response)


@router.post(
    "/{task_id}/backfill",
    status_code=202,
    dependencies=[_once],
    responses=errors(Forbidden, TaskNotFound, TaskAlreadyRunning, TaskChanged, NothingMissing),
)
async def backfill_task(task_id: TaskId, tasks: Tasks, caller: Writer, response: Response) -> TaskRead:
    """Queue an execution of what the last one is missing: its gaps, its failed targets, and what it did not get to."""
    return _read(await tasks.backfill(task_id, caller), response)


@router.post(
    "/{task_id}/stop",
    status_code=202,
    dependencies=[_once],
    responses=errors(Forbidden, TaskNotFound, TaskNotRunning),
)
async def stop_task(task_id: TaskId, tasks: Tasks, caller: Writer, response: Response) -> TaskRead:
    """Stop a task after the page in hand, and see nothing of it again; what was collected stays."""
    return _read(await tasks.stop(task_id, caller), response)


@router.get("/{task_id}/status", responses=errors(TaskNotFound))
async def get_task_status(task_id: TaskId, tasks: TasksRead, caller: CallerDep) -> TaskStatusRead:
    """How a task and its latest execution are doing."""
    return TaskStatusRead.of(*await tasks.status(task_id, caller))


@router.get("/{task_id}/observations", responses=errors(TaskNotFound))
async def get_observations(task_id: TaskId, executions: Executions, caller: CallerDep) -> ObservationsRead:
    """What of a task is seen again as it grows older: how many posts, when the next is due, what was found."""
    return await executions.observations(task_id, caller)


def _read(task: Task, response: Response, *, created: bool = False) -> TaskRead:
    set_etag(response, _etag(task))
    if created:
        response.headers["Location"] = f"/api/v1/tasks/{task.id}"
    return TaskRead.of(task)


def _etag(task: Task) -> str:
    return etag(task.id, task.rev)


def _problem(error: XGetError, index: int) -> dict[str, object]:
    return {
        "type": f"urn:xget:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": f"/api/v1/tasks/batch#{index}",
        "errors": [{"field": e.field, "rule": e.rule, "message": e.message} for e in error.errors],
    }
