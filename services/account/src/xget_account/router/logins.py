"""Logging accounts in, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_account.deps import Logins, LoginsRead, Writer
from xget_account.errors import AccountNotFound, LoginCapReached, LoginImpossible, LoginUnderWay
from xget_account.schemas import LoginList, LoginRead, LoginRequest
from xget_kernel.errors import Forbidden
from xget_web.auth import CallerDep
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])


@router.post(
    "/{account_id}/login",
    status_code=202,
    responses=errors(Forbidden, AccountNotFound, LoginUnderWay, LoginImpossible, LoginCapReached),
)
async def log_in(
    account_id: PathId, logins: Logins, caller: Writer, body: LoginRequest | None = None
) -> LoginRead:  # fmt: skip
    """Let the worker log the account in with its password. One try at a time; follow it with `/logins`."""
    wanted = body or LoginRequest()
    return LoginRead.model_validate(await logins.ask(account_id, caller, wanted.method))


@router.get("/{account_id}/logins", responses=errors(AccountNotFound))
async def list_logins(account_id: PathId, logins: LoginsRead, caller: CallerDep) -> LoginList:
    """The last 50 tries to log the account in, newest first."""
    tries = await logins.attempts(account_id, caller)
    return LoginList(items=[LoginRead.model_validate(one) for one in tries])
