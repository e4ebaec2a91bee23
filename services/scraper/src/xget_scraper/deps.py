"""What the routes are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Body, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.errors import XGetError
from xget_scraper.errors import InvalidTask
from xget_scraper.models import Task
from xget_scraper.repository import Store, Unit
from xget_scraper.schemas.task import TaskWrite
from xget_scraper.service.drafts import WRITERS, Draft, Drafts
from xget_scraper.service.executions import ExecutionService
from xget_scraper.service.preview import PreviewService
from xget_scraper.service.results import ResultService
from xget_scraper.service.tasks import TaskService
from xget_scraper.service.watching import WatchService
from xget_web.auth import CallerDep
from xget_web.db import read_dep, session_dep
from xget_web.types import PathId
from xget_web.validation import to_error

LARGEST_BATCH = 100


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.scraper`."""

    database: Database
    store: Store
    clock: Clock
    topic: str
    drafts: Drafts
    previews: PreviewService
    results: ResultService
    watching: WatchService


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.scraper)


def database(request: Request) -> Database:
    """The tables of this service."""
    return container(request).database


session = session_dep(database)
Built = Annotated[Container, Depends(container)]


def writer(caller: CallerDep) -> Caller:
    """A caller who may change tasks. Raises Forbidden (403)."""
    caller.require(*WRITERS)
    return caller


Writer = Annotated[Caller, Depends(writer)]


def writing(built: Built, opened: Annotated[AsyncSession, session]) -> TaskService:
    """Use cases of tasks in a transaction that writes."""
    return TaskService(Unit(opened, built.clock), built.clock, built.topic)


def reading(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> TaskService:
    """Use cases of tasks on one snapshot."""
    return TaskService(Unit(opened), built.clock, built.topic)


def runs(opened: Annotated[AsyncSession, read_dep(database)]) -> ExecutionService:
    """Use cases of executions on one snapshot."""
    return ExecutionService(Unit(opened))


def results(built: Built) -> ResultService:
    """Use cases of results."""
    return built.results


def watching(built: Built) -> WatchService:
    """News of tasks."""
    return built.watching


def previews(built: Built) -> PreviewService:
    """Looks ahead."""
    return built.previews


def continuing(built: Built) -> Callable[[Task], None]:
    """Raises InvalidTask (422) for a task that cannot go on from its earlier runs."""

    def check(task: Task) -> None:
        checked = built.drafts.check(task.platform, task.task_type, task.parameters)
        if not next(checked.source.targets(checked.spec.name, checked.parameters)).windowed:
            message = f"Only searches of all there is can be continued; {task.task_type} starts from the beginning."
            raise InvalidTask.of("continue", "windowed", message)

    return check


Continuing = Annotated[Callable[[Task], None], Depends(continuing)]
Previews = Annotated[PreviewService, Depends(previews)]
Tasks = Annotated[TaskService, Depends(writing)]
TasksRead = Annotated[TaskService, Depends(reading)]
Executions = Annotated[ExecutionService, Depends(runs)]
Results = Annotated[ResultService, Depends(results)]
Watching = Annotated[WatchService, Depends(watching)]


async def draft_of_new(body: TaskWrite, caller: Writer, built: Built) -> Draft:
    """A checked body. Runs before the transaction opens, so that a slow pool blocks nobody."""
    return await built.drafts.prepare(body, caller)


async def draft_of_change(task_id: PathId, body: TaskWrite, caller: Writer, built: Built) -> Draft:
    """A checked body for an existing task. Raises TaskNotFound (404)."""
    async with built.store.read() as unit:
        task = await TaskService(unit, built.clock, built.topic).get(task_id, caller)
    return await built.drafts.prepare(body, caller, owner=task.user_id)


async def drafts_of_batch(
    body: Annotated[list[dict[str, Any]], Body(min_length=1, max_length=LARGEST_BATCH)], caller: Writer, built: Built
) -> Sequence[Draft | XGetError]:
    """Each element checked on its own."""
    return [await _checked(element, caller, built) for element in body]


async def _checked(element: dict[str, Any], caller: Caller, built: Container) -> Draft | XGetError:
    try:
        return await built.drafts.prepare(TaskWrite.model_validate(element), caller)
    except ValidationError as error:
        return to_error(RequestValidationError(error.errors(include_url=False)))
    except XGetError as error:
        return error


NewDraft = Annotated[Draft, Depends(draft_of_new)]
ChangeDraft = Annotated[Draft, Depends(draft_of_change)]
BatchDrafts = Annotated[Sequence[Draft | XGetError], Depends(drafts_of_batch)]
