"""What the routes are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Query, Request

from xget_kernel.caller import Caller
from xget_processing.models import RecordFilter
from xget_processing.schemas import State
from xget_processing.service.quarantine import QuarantineService
from xget_web.auth import CallerDep
from xget_web.types import text


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.processing`."""

    quarantine: QuarantineService


def _quarantine(request: Request) -> QuarantineService:
    return cast(Container, request.app.state.processing).quarantine


def _writer(caller: CallerDep) -> Caller:
    """A caller who may replay and dismiss. Raises Forbidden (403)."""
    caller.require("operator", "analyst")
    return caller


Word = Annotated[str | None, Query(), text(128, min_length=1)]


def _filters(
    *,
    caller: CallerDep,
    platform: Word = None,
    state: Annotated[State | None, Query()] = None,
    execution_id: Word = None,
    task: Annotated[str | None, Query(description="Id of a task."), text(128, min_length=1)] = None,
) -> RecordFilter:
    return RecordFilter(
        owner=caller.owner_filter, platform=platform, state=state, execution_id=execution_id, task_id=task
    )


Quarantine = Annotated[QuarantineService, Depends(_quarantine)]
Writer = Annotated[Caller, Depends(_writer)]
Filters = Annotated[RecordFilter, Depends(_filters)]
