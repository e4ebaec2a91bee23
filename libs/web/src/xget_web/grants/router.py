"""Routes of grants."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.caller import Caller
from xget_kernel.errors import Forbidden, NotFound
from xget_web.auth import CallerDep
from xget_web.db import GetDatabase, read_dep, session_dep
from xget_web.grants.desk import GrantDesk
from xget_web.grants.errors import BadGrant, GrantExists, GrantNotFound, UnknownUser, UsersUnavailable
from xget_web.grants.schemas import GrantCreate, GrantRead
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId


def _writer(caller: CallerDep) -> Caller:
    caller.require("operator", "analyst")
    return caller


Writer = Annotated[Caller, Depends(_writer)]


def grants_router(
    prefix: str, tag: str, *, database: GetDatabase, desk: Callable[[Request], GrantDesk], missing: type[NotFound]
) -> APIRouter:
    """The routes under `prefix`; `missing` is what `GrantDesk.owner_of` raises."""
    router = APIRouter(prefix=prefix, tags=[tag])

    @router.get("")
    async def list_grants(
        *,
        grants: Annotated[GrantDesk, Depends(desk)],
        opened: Annotated[AsyncSession, read_dep(database)],
        caller: CallerDep,
        page: PageParams,
        ended: bool = False,
    ) -> PageOut[GrantRead]:
        """What you let others use and what they let you use, newest first; with `ended` also what is over."""
        rows, total = await grants.page(opened, caller, page, ended=ended)
        return PageOut[GrantRead].of([GrantRead.model_validate(row) for row in rows], page, total)

    async def checked(body: GrantCreate, grants: Annotated[GrantDesk, Depends(desk)], caller: Writer) -> None:
        await grants.check(body, caller)

    refusals = errors(Forbidden, missing, GrantExists, BadGrant, UnknownUser, UsersUnavailable)

    @router.post("", status_code=201, dependencies=[Depends(checked)], responses=refusals)
    async def create_grant(
        body: GrantCreate,
        grants: Annotated[GrantDesk, Depends(desk)],
        opened: Annotated[AsyncSession, session_dep(database)],
        caller: Writer,
    ) -> GrantRead:
        """Let another user's tasks use what is yours, after what is their own. They never see its secrets."""
        return GrantRead.model_validate(await grants.give(opened, body, caller))

    @router.delete("/{grant_id}", status_code=204, responses=errors(Forbidden, GrantNotFound))
    async def revoke_grant(
        grant_id: PathId,
        grants: Annotated[GrantDesk, Depends(desk)],
        opened: Annotated[AsyncSession, session_dep(database)],
        caller: Writer,
    ) -> None:
        """End a grant: nothing is lent by it any more. What is lent already ends with its lease."""
        await grants.revoke(opened, grant_id, caller)

    return router
