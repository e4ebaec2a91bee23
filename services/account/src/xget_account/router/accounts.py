"""Accounts over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from xget_account.deps import (
    Accounts,
    AccountsRead,
    Imports,
    LoginsRead,
    Viewed,
    Writer,
    proxy_of_change,
    proxy_of_import,
    proxy_of_new,
    session,
    views,
)
from xget_account.errors import (
    AccountExists,
    AccountNotFound,
    BadLineFormat,
    NeedsCookies,
    ProxiesUnavailable,
    UnknownProxy,
)
from xget_account.models import Account, idempotency
from xget_account.schemas import (
    AccountCreate,
    AccountFilter,
    AccountRead,
    AccountStatus,
    AccountUpdate,
    ImportRequest,
    ImportResult,
    Sort,
    State,
)
from xget_account.service.importing import Reading, read
from xget_account.service.life import subject_of
from xget_db.audit import Subject
from xget_kernel.errors import Forbidden
from xget_web.audit import Views, by, kept_dep
from xget_web.auth import CallerDep
from xget_web.etags import IfMatch, Overtaken, check_if_match, etag, set_etag
from xget_web.idempotency import IdempotentRoute, idempotent
from xget_web.paging import PageOut, PageParams
from xget_web.problems import errors
from xget_web.types import PathId, text

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"], route_class=IdempotentRoute)

_once = idempotent(session, idempotency)
Kept = Annotated[Views, kept_dep(views)]
Word = Annotated[str | None, Query(), text(64, min_length=1)]


def read_import(body: ImportRequest, caller: Writer) -> Reading:
    """What a file holds: read in a thread and before the transaction, where it keeps nobody waiting."""
    return read(body.text, format=body.format, line_format=body.line_format, username=body.username)


@router.get("")
async def list_accounts(
    *,
    accounts: AccountsRead,
    viewed: Viewed,
    caller: CallerDep,
    page: PageParams,
    status: State | None = None,
    platform: Word = None,
    username: Word = None,
    name: Annotated[str | None, Query(), text(100, min_length=1)] = None,
    active: bool | None = None,
    sort: Sort = "-created_at",
) -> PageOut[AccountRead]:
    """Your accounts, newest first. `username` finds a part of the name, `name` the whole of it, whatever its case."""
    wanted = AccountFilter(status=status, platform=platform, username=username, name=name, active=active, sort=sort)
    views, total = await accounts.page(caller, wanted, page)
    viewed.note(by(caller), "account.listed", Subject("account", "", caller.user_id), {"found": total})
    return PageOut[AccountRead].of([view.read() for view in views], page, total)


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(proxy_of_new), _once],
    responses=errors(Forbidden, AccountExists, NeedsCookies, UnknownProxy, ProxiesUnavailable),
)
async def create_account(body: AccountCreate, accounts: Accounts, caller: Writer, response: Response) -> AccountRead:
    """Add an account. Without cookies it waits for them in NEEDS_LOGIN."""
    view = await accounts.create(body, caller)
    response.headers["Location"] = f"/api/v1/accounts/{view.account.id}"
    set_etag(response, _tag(view.account))
    return view.read()


@router.post(
    "/import",
    dependencies=[Depends(proxy_of_import), Depends(read_import), _once],
    responses=errors(Forbidden, BadLineFormat, UnknownProxy, ProxiesUnavailable),
)
async def import_accounts(
    body: ImportRequest, reading: Annotated[Reading, Depends(read_import)], imports: Imports, caller: Writer
) -> ImportResult:
    """Take accounts from a file's text: a browser's cookie JSON, cookies.txt, a cookie header, lines or CSV."""
    return await imports.run(body, reading, caller)


@router.get("/{account_id}", responses=errors(AccountNotFound))
async def get_account(
    account_id: PathId, viewed: Kept, accounts: AccountsRead, caller: CallerDep, response: Response
) -> AccountRead:
    """One account; its secrets are named, not shown."""
    view = await accounts.get(account_id, caller)
    viewed.note(by(caller), "account.viewed", subject_of(view.account))
    set_etag(response, _tag(view.account))
    return view.read()


@router.put(
    "/{account_id}",
    dependencies=[Depends(proxy_of_change)],
    responses=errors(
        Forbidden, AccountNotFound, AccountExists, Overtaken, NeedsCookies, UnknownProxy, ProxiesUnavailable
    ),
)
async def update_account(
    *,
    account_id: PathId,
    body: AccountUpdate,
    accounts: Accounts,
    caller: Writer,
    response: Response,
    if_match: IfMatch = None,
) -> AccountRead:
    """Change an account: fields that the body leaves out stay. Fresh cookies make it healthy again."""
    check_if_match(if_match, _tag((await accounts.get(account_id, caller)).account))
    view = await accounts.update(account_id, body, caller)
    set_etag(response, _tag(view.account))
    return view.read()


@router.delete("/{account_id}", status_code=204, responses=errors(Forbidden, AccountNotFound))
async def delete_account(account_id: PathId, accounts: Accounts, caller: Writer) -> None:
    """Remove an account and its secrets. An execution that works with it goes on with another."""
    await accounts.delete(account_id, caller)


@router.get("/{account_id}/status", responses=errors(AccountNotFound))
async def get_account_status(
    account_id: PathId, accounts: AccountsRead, logins: LoginsRead, caller: CallerDep
) -> AccountStatus:
    """How the account is: state, a sentence, rests, who works with it, and the platform's last answer."""
    return (await accounts.get(account_id, caller)).status(await logins.now(account_id, caller))


def _tag(account: Account) -> str:
    """Changes when a person changes the account, not with each lease."""
    return etag(account.id, account.rev)
