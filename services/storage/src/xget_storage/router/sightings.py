"""How an item was seen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from xget_storage.deps import Order, Seen
from xget_storage.errors import ItemNotFound
from xget_storage.router.wire import answer
from xget_storage.schemas import answers
from xget_storage.service.observing import HistoryList
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
