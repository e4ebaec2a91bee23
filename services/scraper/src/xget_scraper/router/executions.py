"""Executions and certificates over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xget_scraper.deps import Executions
from xget_scraper.errors import ExecutionNotFound, NotEndedYet, TaskNotFound
from xget_scraper.models import Status
from xget_scraper.schemas.execution import CertificateRead, ExecutionRead
from xget_scraper.schemas.segment import GapsRead, TargetRead
from xget_web.auth import CallerDep
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId, text

router = APIRouter(prefix="/api/v1/task-executions", tags=["executions"])

Word = Annotated[str | None, Query(), text(64, min_length=1)]


@router.get("")
async def list_executions(
    *,
    executions: Executions,
    caller: CallerDep,
    page: PageParams,
    task_id: Word = None,
    status: Status | None = None,
) -> PageOut[ExecutionRead]:
    """Your executions, newest first."""
    found, total = await executions.list(caller, task_id=task_id, status=status.value if status else None, page=page)
    return PageOut[ExecutionRead].of([ExecutionRead.of(one) for one in found], page, total)


@router.get("/task/{task_id}", responses=errors(TaskNotFound))
async def list_executions_of_task(
    task_id: PathId, executions: Executions, caller: CallerDep, page: PageParams
) -> PageOut[ExecutionRead]:
    """A task's executions, newest first."""
    found, total = await executions.of_task(caller, task_id, page)
    return PageOut[ExecutionRead].of([ExecutionRead.of(one) for one in found], page, total)


@router.get("/{execution_id}", responses=errors(ExecutionNotFound))
async def get_execution(execution_id: PathId, executions: Executions, caller: CallerDep) -> ExecutionRead:
    """One execution."""
    return ExecutionRead.of(await executions.get(execution_id, caller))


@router.get("/{execution_id}/targets", responses=errors(ExecutionNotFound))
async def list_targets(
    *,
    execution_id: PathId,
    executions: Executions,
    caller: CallerDep,
    page: PageParams,
    end_reason: Annotated[str | None, Query(description="Only targets that ended so."), text(24, min_length=1)] = None,
) -> PageOut[TargetRead]:
    """What the execution is about: each user, post, list or query with its counts and its end."""
    found, total = await executions.targets(execution_id, caller, end_reason=end_reason, page=page)
    return PageOut[TargetRead].of([TargetRead.of(one) for one in found], page, total)


@router.get("/{execution_id}/gaps", responses=errors(ExecutionNotFound))
async def list_gaps(execution_id: PathId, executions: Executions, caller: CallerDep, page: PageParams) -> GapsRead:
    """What the execution is known to miss: from, to and why, target by target, newest first."""
    return await executions.gaps(execution_id, caller, page)


@router.get("/{execution_id}/certificate", responses=errors(ExecutionNotFound, NotEndedYet))
async def get_certificate(execution_id: PathId, executions: Executions, caller: CallerDep) -> CertificateRead:
    """What the execution did, proven from what is stored; there once it has ended."""
    certificate = await executions.certificate(execution_id, caller)
    return CertificateRead.model_validate(certificate.body)
