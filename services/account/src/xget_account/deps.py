"""What the routes are given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.errors import UnknownProxy
from xget_account.ports import LoginProxies
from xget_account.repository import AccountRepository, LoginRepository
from xget_account.repository.apps import AppRepository
from xget_account.repository.budgets import BudgetRepository
from xget_account.repository.lending import LendingRepository
from xget_account.repository.life import LifeRepository
from xget_account.repository.spending import SpendingRepository
from xget_account.repository.uses import UseRepository
from xget_account.schemas import AccountCreate, AccountUpdate, ImportRequest
from xget_account.service import AccountService, ImportService, Vault
from xget_account.service.api_access import ApiAccessService
from xget_account.service.budgets import BudgetService, KeptSums
from xget_account.service.lending import LentService
from xget_account.service.life import Life
from xget_account.service.lives import LifeService
from xget_account.service.logins import AssistService, LoginService
from xget_account.service.playbook import Book
from xget_account.service.uses import UseService
from xget_contracts.events import ACCOUNT_EVENTS
from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.secrets import Secret
from xget_web.audit import Views, by
from xget_web.auth import CallerDep
from xget_web.db import read_dep, session_dep
from xget_web.grants import GrantDesk
from xget_web.types import PathId

ProxyExists = Callable[[str, str], Awaitable[bool]]
"""(owner id, proxy id): whether the owner has the proxy. Raises ProxiesUnavailable (503)."""


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.account`."""

    database: Database
    vault: Vault
    clock: Clock
    daily_budget: int
    proxy_exists: ProxyExists
    book: Book
    """The playbook in force."""
    views: Views
    """Who looked at what."""
    grants: GrantDesk
    login_proxies: LoginProxies
    sums: KeptSums
    login_cap: int = 4
    """Logins of one account a day."""
    account_events: str = ACCOUNT_EVENTS
    """Name of the topic."""

    def life(self, opened: AsyncSession, caller: Caller) -> Life:
        """What moves accounts within a transaction, for a caller."""
        return Life(self.facts(opened, caller), self.clock)

    def facts(self, opened: AsyncSession, caller: Caller) -> LifeRepository:
        """The history of accounts within a transaction, and the trail of what a caller does in it."""
        return LifeRepository(opened, self.clock, self.account_events, by(caller))


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.account)


def database(request: Request) -> Database:
    """The tables of this service."""
    return container(request).database


def views(request: Request) -> Views:
    """Who looked at what."""
    return container(request).views


def grant_desk(request: Request) -> GrantDesk:
    """Who lets whom use his accounts."""
    return container(request).grants


session = session_dep(database)
Built = Annotated[Container, Depends(container)]


def writer(caller: CallerDep) -> Caller:
    """A caller who may change accounts. Raises Forbidden (403)."""
    caller.require("operator", "analyst")
    return caller


Writer = Annotated[Caller, Depends(writer)]


def _service(built: Container, opened: AsyncSession, caller: Caller) -> AccountService:
    accounts, life = AccountRepository(opened), built.life(opened, caller)
    return AccountService(accounts, built.vault, built.clock, life, daily_budget=built.daily_budget)


def writing(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> AccountService:
    """Use cases in a transaction that writes."""
    return _service(built, opened, caller)


def reading(built: Built, opened: Annotated[AsyncSession, read_dep(database)], caller: CallerDep) -> AccountService:
    """Use cases on one snapshot."""
    return _service(built, opened, caller)


def importing(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> ImportService:
    """The import in a transaction."""
    return ImportService(AccountRepository(opened), built.vault, built.clock, built.life(opened, caller))


def logging_in(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> LoginService:
    """Logins in a transaction that writes."""
    return _logins(built, opened, caller)


def logins_seen(built: Built, opened: Annotated[AsyncSession, read_dep(database)], caller: CallerDep) -> LoginService:
    """Logins on one snapshot."""
    return _logins(built, opened, caller)


def _logins(built: Container, opened: AsyncSession, caller: Caller) -> LoginService:
    life = built.life(opened, caller)
    return LoginService(LoginRepository(opened), life, built.clock, daily_cap=built.login_cap)


def assisting(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> AssistService:
    """Logins by persons in a transaction that writes."""
    return AssistService(LoginRepository(opened), built.life(opened, caller), built.vault, built.clock)


def operator(caller: CallerDep) -> Caller:
    """A caller who may see an account's session. Raises Forbidden (403)."""
    caller.require("operator")
    return caller


Assists = Annotated[AssistService, Depends(assisting)]
Operator = Annotated[Caller, Depends(operator)]


async def proxy_of_assist(account_id: PathId, caller: Operator, built: Built) -> Secret | None:
    """The account's proxy, asked for before a transaction opens. Raises AccountNotFound (404), XGetError."""
    async with built.database.read() as opened:
        account = (await _service(built, opened, caller).get(account_id, caller)).account
    return await built.login_proxies.address(account.owner_id, account.proxy_id)


AssistProxy = Annotated[Secret | None, Depends(proxy_of_assist)]
Logins = Annotated[LoginService, Depends(logging_in)]
LoginsRead = Annotated[LoginService, Depends(logins_seen)]


def budgeting(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> BudgetService:
    """Budgets on one snapshot."""
    accounts, budgets = AccountRepository(opened), BudgetRepository(opened)
    return BudgetService(accounts, budgets, built.clock, built.sums, daily_budget=built.daily_budget)


def uses_seen(opened: Annotated[AsyncSession, read_dep(database)]) -> UseService:
    """Who used which account, on one snapshot."""
    return UseService(AccountRepository(opened), UseRepository(opened))


def lent_seen(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> LentService:
    """Accounts that are lent, on one snapshot."""
    return LentService(LendingRepository(opened), AccountRepository(opened), built.clock, built.daily_budget)


LentRead = Annotated[LentService, Depends(lent_seen)]
Viewed = Annotated[Views, Depends(views)]
UsesRead = Annotated[UseService, Depends(uses_seen)]
Budgets = Annotated[BudgetService, Depends(budgeting)]


def living(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> LifeService:
    """The life of accounts in a transaction that writes."""
    return LifeService(AccountRepository(opened), built.facts(opened, caller), built.clock)


def looking(built: Built, opened: Annotated[AsyncSession, read_dep(database)], caller: CallerDep) -> LifeService:
    """The life of accounts on one snapshot."""
    return LifeService(AccountRepository(opened), built.facts(opened, caller), built.clock)


def spending(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> ApiAccessService:
    """Official APIs and their money, in a transaction that writes."""
    return _api_access(built, opened, caller)


def spending_seen(
    built: Built, opened: Annotated[AsyncSession, read_dep(database)], caller: CallerDep
) -> ApiAccessService:
    """Official APIs and their money, on one snapshot."""
    return _api_access(built, opened, caller)


def _api_access(built: Container, opened: AsyncSession, caller: Caller) -> ApiAccessService:
    accounts, money, apps = AccountRepository(opened), SpendingRepository(opened), AppRepository(opened)
    return ApiAccessService(accounts, money, apps, built.vault, life=built.life(opened, caller), clock=built.clock)


ApiAccesses = Annotated[ApiAccessService, Depends(spending)]
ApiAccessesRead = Annotated[ApiAccessService, Depends(spending_seen)]
Lives = Annotated[LifeService, Depends(living)]
LivesRead = Annotated[LifeService, Depends(looking)]
Accounts = Annotated[AccountService, Depends(writing)]
AccountsRead = Annotated[AccountService, Depends(reading)]
Imports = Annotated[ImportService, Depends(importing)]


async def proxy_of_new(body: AccountCreate, caller: Writer, built: Built) -> None:
    """Raises UnknownProxy (422). Runs before the transaction opens, so that a slow answer blocks nobody."""
    await _check(built, caller.user_id, body.proxy_id)


async def proxy_of_import(body: ImportRequest, caller: Writer, built: Built) -> None:
    """Raises UnknownProxy (422)."""
    await _check(built, caller.user_id, body.proxy_id)


async def proxy_of_change(account_id: PathId, body: AccountUpdate, caller: Writer, built: Built) -> None:
    """Raises UnknownProxy (422) and AccountNotFound (404): the proxy must belong to the account's owner."""
    if body.proxy_id is None:
        return
    async with built.database.read() as opened:
        owner = await _service(built, opened, caller).owner_of(account_id, caller)
    await _check(built, owner, body.proxy_id)


async def _check(built: Container, owner: str, proxy_id: str | None) -> None:
    if proxy_id is not None and not await built.proxy_exists(owner, proxy_id):
        raise UnknownProxy()
