"""What became of accounts, answers that nobody knows, and the playbook, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_account.deps import Accounts, Built, Lives, LivesRead, Logins, Writer
from xget_account.errors import AccountNotFound, PlaybookRefused
from xget_account.schemas import AccountStatus
from xget_account.schemas.life import Because, MoveRead, PlaybookRead, PlaybookText, SampleRead
from xget_account.service.playbook import BadPlaybook, parse, shown
from xget_kernel.errors import Forbidden
from xget_web.auth import CallerDep
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId

fixed = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
"""Words under `/accounts` that are no ids."""
router = APIRouter(prefix="/api/v1/accounts/{account_id}", tags=["accounts"])


@fixed.get("/playbook")
async def get_playbook(built: Built, caller: CallerDep) -> PlaybookRead:
    """What each answer of the platform means for the account that got it: the first rule that fits decides."""
    return shown(built.book.current, built.book.trouble, built.book.since)


@fixed.post("/playbook/check", responses=errors(PlaybookRefused))
async def check_playbook(body: PlaybookText, caller: CallerDep) -> PlaybookRead:
    """Read a playbook and say what it holds, or what is wrong with it by line and rule. Nothing comes into force."""
    try:
        return shown(parse(body.text, body.name))
    except BadPlaybook as error:
        raise PlaybookRefused(str(error)) from None


@fixed.get("/samples")
async def list_samples(lives: LivesRead, caller: CallerDep, page: PageParams) -> PageOut[SampleRead]:
    """Answers to your accounts that no rule of the playbook knows, newest first; a few of each shape are kept."""
    rows, total = await lives.samples(caller, page)
    return PageOut[SampleRead].of([SampleRead.model_validate(row) for row in rows], page, total)


@router.get("/history", responses=errors(AccountNotFound))
async def get_account_history(
    account_id: PathId, lives: LivesRead, caller: CallerDep, page: PageParams
) -> PageOut[MoveRead]:
    """From which state the account came into which, when, why and by whom; newest first."""
    rows, total = await lives.history(account_id, caller, page)
    return PageOut[MoveRead].of([MoveRead.model_validate(row) for row in rows], page, total)


@router.post("/retire", responses=errors(Forbidden, AccountNotFound))
async def retire_account(
    *, account_id: PathId, body: Because, lives: Lives, accounts: Accounts, logins: Logins, caller: Writer
) -> AccountStatus:
    """Take the account out of use until somebody revives it. Its secrets stay."""
    await lives.retire(account_id, caller, body.reason)
    return (await accounts.get(account_id, caller)).status(await logins.now(account_id, caller))


@router.post("/revive", responses=errors(Forbidden, AccountNotFound))
async def revive_account(
    *, account_id: PathId, body: Because, lives: Lives, accounts: Accounts, logins: Logins, caller: Writer
) -> AccountStatus:
    """Take a retired account into use again: as new, or in NEEDS_LOGIN when it has no cookies."""
    await lives.revive(account_id, caller, body.reason)
    return (await accounts.get(account_id, caller)).status(await logins.now(account_id, caller))
