"""What the routes are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

import msgspec
from fastapi import Depends, Query, Request

from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import bad_cursor, decode_cursor
from xget_processing.models import RecordFilter
from xget_processing.repository import PageId, Store
from xget_processing.schemas import State
from xget_processing.service.drift import DriftRules, DriftService
from xget_processing.service.freezing import FreezeRules, FreezeService
from xget_processing.service.quarantine import QuarantineService
from xget_processing.settings import Settings
from xget_web.auth import CallerDep
from xget_web.types import text

_Id = Annotated[str, msgspec.Meta(max_length=64, pattern="^[^\x00]*$")]
_Number = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.processing`."""

    quarantine: QuarantineService
    freezing: FreezeService
    drift: DriftService


def opened_store(settings: Settings, database: Database, clock: Clock) -> Store:
    """The tables, and the topics on which their changes are announced."""
    return Store(database, settings.kafka_topic_results, clock, parser_events=settings.kafka_topic_parser_events)


def freeze_rules(settings: Settings) -> FreezeRules:
    """The settings as the service reads them."""
    return FreezeRules(
        rate=settings.processing_freeze_rate,
        pages=settings.processing_freeze_pages,
        minutes=settings.processing_freeze_minutes,
    )


def drift_rules(settings: Settings) -> DriftRules:
    """The settings as the service reads them."""
    return DriftRules(every=settings.processing_drift_every, gone_pages=settings.processing_drift_gone_pages)


def place_of(cursor: str | None) -> tuple[PageId | None, int | None]:
    """The page that a replay's cursor stands for, and how many are left behind it. Raises Invalid (422)."""
    if cursor is None:
        return None, None
    try:
        run, page_no, attempt, left = msgspec.convert(decode_cursor(cursor), tuple[_Id, _Number, _Number, _Number])
    except msgspec.ValidationError as error:
        raise bad_cursor() from error
    return (run, page_no, attempt), left


def _quarantine(request: Request) -> QuarantineService:
    return cast(Container, request.app.state.processing).quarantine


def _freezing(request: Request) -> FreezeService:
    return cast(Container, request.app.state.processing).freezing


def _drift(request: Request) -> DriftService:
    return cast(Container, request.app.state.processing).drift


def _operator(caller: CallerDep) -> Caller:
    """A caller who may let a parser read again. Raises Forbidden (403)."""
    caller.require("operator")
    return caller


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
    operation: Word = None,
    parser_version: Word = None,
) -> RecordFilter:
    return RecordFilter(
        owner=caller.owner_filter,
        platform=platform,
        state=state,
        execution_id=execution_id,
        task_id=task,
        operation=operation,
        parser_version=parser_version,
    )


Quarantine = Annotated[QuarantineService, Depends(_quarantine)]
Freezing = Annotated[FreezeService, Depends(_freezing)]
Drift = Annotated[DriftService, Depends(_drift)]
Operator = Annotated[Caller, Depends(_operator)]
Writer = Annotated[Caller, Depends(_writer)]
Filters = Annotated[RecordFilter, Depends(_filters)]
