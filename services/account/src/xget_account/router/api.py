"""Tokens and money of official APIs, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_account.deps import ApiAccesses, ApiAccessesRead, Writer
from xget_account.errors import AccountNotFound, NoApiAccount
from xget_account.schemas.api import ApiRead, ApiWrite
from xget_kernel.errors import Forbidden
from xget_web.auth import CallerDep
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])


@router.get("/{account_id}/api", responses=errors(AccountNotFound, NoApiAccount))
async def get_account_api(account_id: PathId, access: ApiAccessesRead, caller: CallerDep) -> ApiRead:
    """What the account may spend on the official API, and has spent this month."""
    return await access.get(account_id, caller)


@router.put("/{account_id}/api", responses=errors(Forbidden, AccountNotFound, NoApiAccount))
async def set_account_api(account_id: PathId, body: ApiWrite, access: ApiAccesses, caller: Writer) -> ApiRead:
    """Give an account of platform `x_api` its tokens, its plan and its caps. What the body leaves out stays."""
    return await access.put(account_id, body, caller)
