"""What became of accounts, answers that nobody knows, and the playbook, over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from xget_account.deps import Accounts, Built, Lives, LivesRead, Logins, Writer
from xget_account.errors import AccountNotFound, PlaybookRefused
from xget_account.schemas import AccountStatus
from xget_account.schemas.life import Because, MoveRead, PlaybookRead, PlaybookText, RuleRead, SampleRead
from xget_account.service.playbook import BadPlaybook, Playbook, Rule, parse
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
    return _shown(built.book.current, built.book.trouble)


@fixed.post("/playbook/check", responses=errors(PlaybookRefused))
async def check_playbook(body: PlaybookText, caller: CallerDep) -> PlaybookRead:
    """Read a playbook and say what it holds, or what is wrong with it by line and rule. Nothing comes into force."""
    try:
        return _shown(parse(body.text, body.name))
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


def _shown(playbook: Playbook, trouble: str = "") -> PlaybookRead:
    return PlaybookRead(
        version=playbook.version,
        name=playbook.name,
        source=playbook.source,
        trouble=trouble,
        note=playbook.note,
        rules=[_rule(rule) for rule in playbook.rules],
        otherwise=_rule(playbook.otherwise),
    )


def _rule(rule: Rule) -> RuleRead:
    when = {
        "codes": sorted(rule.codes) if rule.codes else None,
        "statuses": [_span(span) for span in rule.statuses] if rule.statuses else None,
        "kinds": sorted(rule.kinds) if rule.kinds else None,
        "codeless": rule.codeless or None,
        "data": rule.data,
        "room": rule.room,
    }
    return RuleRead(
        name=rule.name,
        route=rule.route,
        when={name: value for name, value in when.items() if value is not None},
        action=rule.action,
        rest_seconds=round(rule.rest.total_seconds()) if rule.rest else None,
        until_reset=rule.until_reset,
        until_month=rule.until_month,
        all=rule.everything,
        state=rule.set_status,
        next_step=rule.next_step,
        reason=rule.sentence,
    )


def _span(statuses: range) -> str:
    return str(statuses.start) if len(statuses) == 1 else f"{statuses.start}-{statuses.stop - 1}"
