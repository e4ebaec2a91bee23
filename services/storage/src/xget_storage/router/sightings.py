"""How an item was seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from xget_storage.deps import Order, Raw, Seen
from xget_storage.errors import ItemNotFound, RawGone, RawNotFound
from xget_storage.router.wire import answer
from xget_storage.schemas import answers
from xget_storage.service.observing import HistoryList
from xget_storage.service.raw import PAGE_PATTERN, RawRecord
from xget_web.auth import CallerDep
from xget_web.paging import CursorParam
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/data", tags=["data"])


@router.get("/{item_id}/history", responses={**answers(HistoryList), **errors(ItemNotFound)})
async def item_history(
    *,
    item_id: PathId,
    seen: Seen,
    caller: CallerDep,
    sort: Order = "newest",
    size: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: CursorParam = None,
) -> Response:
    """How your executions saw an item: when, where, and with which counts; once per execution."""
    return answer(await seen.history(item_id, caller, size, newest=sort == "newest", cursor=cursor))


@router.get("/{item_id}/raw", responses={**answers(RawRecord), **errors(ItemNotFound, RawNotFound, RawGone)})
async def item_raw(
    *,
    item_id: PathId,
    raw: Raw,
    caller: CallerDep,
    page: Annotated[
        str | None, Query(max_length=80, pattern=PAGE_PATTERN, description="execution_id/page_no; default: the last.")
    ] = None,
) -> Response:
    """An item as the platform sent it, from the stored page of yours that showed it last."""
    return answer(await raw.record(item_id, caller, page))
