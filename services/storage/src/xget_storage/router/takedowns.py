"""Authors who ask to be forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from xget_kernel.errors import Forbidden
from xget_storage.deps import Takedowns
from xget_storage.errors import BadAuthorKey, TakedownNotFound
from xget_storage.router.wire import answer
from xget_storage.schemas import answers
from xget_storage.service.takedowns import TakedownList, TakedownView
from xget_web.auth import CallerDep
from xget_web.problems import errors
from xget_web.types import PathId, text

router = APIRouter(prefix="/api/v1/data", tags=["data"])

Reason = Annotated[str, Query(description="Why; kept with who and when."), text(500)]


@router.delete(
    "/authors/{author_id}", status_code=202, responses={**answers(TakedownView, 202), **errors(BadAuthorKey, Forbidden)}
)
async def forget_author(author_id: PathId, takedowns: Takedowns, caller: CallerDep, reason: Reason = "") -> Response:
    """Take down all that an author (`x:44196397`) wrote, for everybody, and keep them away from now on.

    Needs the role operator. The answer comes at once; `GET /data/forgotten/{author_id}` says how far it is.
    """
    return answer(await takedowns.forget(author_id, reason, caller), 202)


@router.get("/forgotten", responses={**answers(TakedownList), **errors(Forbidden)})
async def list_takedowns(takedowns: Takedowns, caller: CallerDep) -> Response:
    """Authors who were taken down: who asked for it, when, why, and how much there was. Needs the role operator."""
    return answer(await takedowns.all(caller))


@router.get("/forgotten/{author_id}", responses={**answers(TakedownView), **errors(TakedownNotFound, Forbidden)})
async def get_takedown(author_id: PathId, takedowns: Takedowns, caller: CallerDep) -> Response:
    """How far a takedown is. Needs the role operator."""
    return answer(await takedowns.get(author_id, caller))


@router.delete("/forgotten/{author_id}", responses={**answers(TakedownView), **errors(TakedownNotFound, Forbidden)})
async def lift_takedown(author_id: PathId, takedowns: Takedowns, caller: CallerDep, reason: Reason = "") -> Response:
    """Let an author be collected again; nothing is restored. Needs the role operator."""
    return answer(await takedowns.lift(author_id, reason, caller))
