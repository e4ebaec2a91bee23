"""Tokens and money of official APIs, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.deps import Built, Writer, database, session
from xget_account.errors import AccountNotFound, NoApiAccount
from xget_account.schemas.api import ApiRead, ApiWrite
from xget_account.service.api_access import ApiAccessService
from xget_kernel.errors import Forbidden
from xget_web.auth import CallerDep
from xget_web.db import read_dep
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])


def writing(built: Built, opened: Annotated[AsyncSession, session]) -> ApiAccessService:
    """In a transaction that writes."""
    return ApiAccessService(opened, built.vault, built.life(opened), built.clock)


def reading(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> ApiAccessService:
    """On one snapshot."""
    return ApiAccessService(opened, built.vault, built.life(opened), built.clock)


@router.get("/{account_id}/api", responses=errors(AccountNotFound, NoApiAccount))
async def get_account_api(
    account_id: PathId, access: Annotated[ApiAccessService, Depends(reading)], caller: CallerDep
) -> ApiRead:
    """What the account may spend on the official API, and has spent this month."""
    return await access.get(account_id, caller)


@router.put("/{account_id}/api", responses=errors(Forbidden, AccountNotFound, NoApiAccount))
async def set_account_api(
    account_id: PathId, body: ApiWrite, access: Annotated[ApiAccessService, Depends(writing)], caller: Writer
) -> ApiRead:
    """Give an account of platform `x_api` its tokens, its plan and its caps. What the body leaves out stays."""
    return await access.put(account_id, body, caller)
