"""A person logs an account in on his own machine, over HTTP. For operators and administrators."""

from __future__ import annotations

from fastapi import APIRouter, Response

from xget_account.deps import AssistProxy, Assists, Operator
from xget_account.errors import AccountNotFound, LoginImpossible, LoginUnderWay, ProxiesUnavailable, TicketVoid
from xget_account.schemas import AssistEnd, AssistLease, AssistRenewal, AssistTicket, LoginRead
from xget_kernel.errors import Forbidden
from xget_web.problems import errors
from xget_web.types import PathId

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])


@router.post(
    "/{account_id}/assist",
    status_code=201,
    responses=errors(Forbidden, AccountNotFound, LoginUnderWay, LoginImpossible, ProxiesUnavailable),
)
async def begin_assist(
    *, account_id: PathId, proxy: AssistProxy, assists: Assists, caller: Operator, response: Response
) -> AssistTicket:
    """What a person's browser needs to log the account in: proxy, user agent, browser state; never the password.

    The answer holds secrets and is given once. Nobody else logs in while the ticket is good: for a minute, and so long
    as it is renewed, half an hour at most.
    """
    response.headers["Cache-Control"] = "no-store"
    return AssistTicket.of(await assists.begin(account_id, caller, proxy))


@router.post("/{account_id}/assist/{attempt_id}/renew", responses=errors(Forbidden, AccountNotFound, TicketVoid))
async def renew_assist(
    *, account_id: PathId, attempt_id: PathId, body: AssistRenewal, assists: Assists, caller: Operator
) -> AssistLease:
    """The person's browser is still open: the ticket is good for another minute."""
    expires_at, ends_at = await assists.renew(account_id, attempt_id, caller, body.ticket)
    return AssistLease(expires_at=expires_at, ends_at=ends_at)


@router.post(
    "/{account_id}/assist/{attempt_id}", responses=errors(Forbidden, AccountNotFound, TicketVoid)
)  # fmt: skip
async def end_assist(
    *, account_id: PathId, attempt_id: PathId, body: AssistEnd, assists: Assists, caller: Operator
) -> LoginRead:
    """Keep the session of the person's browser: the account is ACTIVE. Without a state the person gave up."""
    ended = await assists.end(account_id, attempt_id, caller, body.ticket, body.browser_state)
    return LoginRead.model_validate(ended)
