"""Quarantine and parsers over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xget_kernel.errors import Forbidden
from xget_kernel.pages import encode_cursor
from xget_processing.deps import Drift, Filters, Freezing, Operator, Quarantine, Word, Writer, place_of
from xget_processing.errors import ParserNotFound, ParserNotFrozen, RecordClosed, RecordNotFound
from xget_processing.models import MISSING, NEW
from xget_processing.schemas import (
    Change,
    DriftRead,
    ParserList,
    ParserName,
    ParserRead,
    ParserStateRead,
    RecordDetail,
    RecordRead,
    ReplayRequest,
    ReplayResult,
)
from xget_web.auth import CallerDep
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1")


@router.get("/quarantine", tags=["quarantine"])
async def list_quarantine(wanted: Filters, page: PageParams, quarantine: Quarantine) -> PageOut[RecordRead]:
    """Records that could not be read, newest first."""
    rows, total = await quarantine.find(wanted, page)
    return PageOut[RecordRead].of([RecordRead.model_validate(row) for row in rows], page, total)


@router.post("/quarantine/replay", tags=["quarantine"], responses=errors(Forbidden))
async def replay_quarantine(body: ReplayRequest, quarantine: Quarantine, caller: Writer) -> ReplayResult:
    """Parse the pages of open records again with today's parser, at most 100 pages a call; `next_cursor` goes on."""
    report = await quarantine.replay(body.filter(caller.owner_filter), *place_of(body.cursor))
    return ReplayResult(
        pages=report.pages,
        replayed=report.replayed,
        still_open=report.still_open,
        remaining=report.remaining,
        next_cursor=encode_cursor([*report.last, report.remaining]) if report.last else None,
    )


@router.get("/quarantine/{record_id}", tags=["quarantine"], responses=errors(RecordNotFound))
async def get_quarantined(record_id: PathId, quarantine: Quarantine, caller: CallerDep) -> RecordDetail:
    """One record with its payload."""
    return RecordDetail.of(await quarantine.get(record_id, caller))


@router.post(
    "/quarantine/{record_id}/replay", tags=["quarantine"], responses=errors(RecordNotFound, RecordClosed, Forbidden)
)
async def replay_quarantined(record_id: PathId, quarantine: Quarantine, caller: Writer) -> RecordRead:
    """Parse the record's page again; `state` says whether it could be read."""
    return RecordRead.model_validate(await quarantine.replay_one(record_id, caller))


@router.post(
    "/quarantine/{record_id}/dismiss", tags=["quarantine"], responses=errors(RecordNotFound, RecordClosed, Forbidden)
)
async def dismiss_quarantined(record_id: PathId, quarantine: Quarantine, caller: Writer) -> RecordRead:
    """Put a record aside: it is not replayed any more."""
    return RecordRead.model_validate(await quarantine.dismiss(record_id, caller))


@router.get("/parsers", tags=["parsers"])
async def list_parsers(quarantine: Quarantine, freezing: Freezing, drift: Drift, _caller: CallerDep) -> ParserList:
    """Versions of parsers and what they have read (a page that was delivered twice counts twice), and their states."""
    fields = await drift.counts()
    read = [ParserRead.model_validate(row) for row in await quarantine.parsers()]
    for row in read:
        row.new_fields = fields.get((row.platform, row.version, NEW), 0)
        row.gone_fields = fields.get((row.platform, row.version, MISSING), 0)
    return ParserList(
        items=read, parsers=[ParserStateRead.of(state, waiting) for state, waiting in await freezing.states()]
    )


@router.get("/parsers/{name}/drift", tags=["parsers"], responses=errors(ParserNotFound))
async def list_drift(
    *,
    name: ParserName,
    page: PageParams,
    drift: Drift,
    _caller: CallerDep,
    version: Word = None,
    shape: Word = None,
    change: Annotated[Change | None, Query()] = None,
) -> PageOut[DriftRead]:
    """Fields that a parser's pages have and it does not know, and those that it counts on and that stay away.

    `name` is a route or a parser; the operations of a route share their shapes. Some pages are sampled, and all with
    rejected records.
    """
    kind = {"new": NEW, "gone": MISSING, None: None}[change]
    rows, total = await drift.find(name, page, version=version, shape=shape, kind=kind)
    return PageOut[DriftRead].of([DriftRead.of(field, pages) for field, pages in rows], page, total)


@router.post("/parsers/{name}/thaw", tags=["parsers"], responses=errors(ParserNotFound, ParserNotFrozen, Forbidden))
async def thaw_parser(name: ParserName, freezing: Freezing, caller: Operator) -> ParserStateRead:
    """Let a frozen parser read the pages that wait, as it is; what it cannot read goes to quarantine."""
    route, _, operation = name.partition(":")
    return ParserStateRead.of(*await freezing.thaw((route, operation), caller.user_id))
