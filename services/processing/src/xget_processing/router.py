"""Quarantine and parsers over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_kernel.errors import Forbidden
from xget_processing.deps import Filters, Freezing, Operator, Quarantine, Writer
from xget_processing.errors import ParserNotFound, ParserNotFrozen, RecordClosed, RecordNotFound
from xget_processing.models import RecordFilter
from xget_processing.schemas import (
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
    """Parse the pages of open records again with today's parser, at most 100 pages a call."""
    wanted = RecordFilter(owner=caller.owner_filter, platform=body.platform, ids=body.ids)
    return ReplayResult.model_validate(await quarantine.replay(wanted))


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
async def list_parsers(quarantine: Quarantine, freezing: Freezing, _caller: CallerDep) -> ParserList:
    """Versions of parsers and what they have read (a page that was delivered twice counts twice), and their states."""
    return ParserList(
        items=[ParserRead.model_validate(row) for row in await quarantine.parsers()],
        parsers=[ParserStateRead.of(state, waiting) for state, waiting in await freezing.states()],
    )


@router.post("/parsers/{name}/thaw", tags=["parsers"], responses=errors(ParserNotFound, ParserNotFrozen, Forbidden))
async def thaw_parser(name: ParserName, freezing: Freezing, caller: Operator) -> ParserStateRead:
    """Let a frozen parser read the pages that wait, as it is; what it cannot read goes to quarantine."""
    route, _, operation = name.partition(":")
    return ParserStateRead.of(*await freezing.thaw((route, operation), caller.user_id))
