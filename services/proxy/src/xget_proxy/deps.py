"""What the routes are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_contracts.events import PROXY_EVENTS
from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_proxy.errors import InsideNetwork
from xget_proxy.repository import LentRepository, ProxyRepository
from xget_proxy.schemas import ImportRequest, ProviderCreate, ProxyCreate, ProxyUpdate
from xget_proxy.service import (
    CheckService,
    Gate,
    ImportService,
    LentService,
    ProviderService,
    ProxyService,
    Vault,
    Work,
    admitted,
)
from xget_proxy.service.reading import Found, Refused
from xget_web.audit import Views, by, kept_dep
from xget_web.auth import CallerDep
from xget_web.db import read_dep, session_dep
from xget_web.grants import GrantDesk


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.proxy`."""

    database: Database
    vault: Vault
    clock: Clock
    gate: Gate
    checks: CheckService
    providers: ProviderService
    views: Views
    """Who looked at what."""
    grants: GrantDesk


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.proxy)


def views(request: Request) -> Views:
    """Who looked at what."""
    return container(request).views


def grant_desk(request: Request) -> GrantDesk:
    """Who lets whom use his proxies."""
    return container(request).grants


def database(request: Request) -> Database:
    """The tables of this service."""
    return container(request).database


session = session_dep(database)
Built = Annotated[Container, Depends(container)]


def units(opened: Callable[[], AbstractAsyncContextManager[AsyncSession]], topic: str = PROXY_EVENTS) -> Work:
    """Repositories, each in a transaction of its own, for use cases that are not one request; `topic` is told."""

    @asynccontextmanager
    async def unit() -> AsyncIterator[ProxyRepository]:
        async with opened() as session:
            yield ProxyRepository(session, topic)

    return unit


def writer(caller: CallerDep) -> Caller:
    """A caller who may change proxies. Raises Forbidden (403)."""
    caller.require("operator", "analyst")
    return caller


def operator(caller: CallerDep) -> Caller:
    """A caller who may let XGet fetch from outside. Raises Forbidden (403)."""
    caller.require("operator")
    return caller


def providing(built: Built) -> ProviderService:
    """Providers, which open their own short transactions."""
    return built.providers


async def admitted_host(body: ProviderCreate, caller: Annotated[Caller, Depends(operator)], built: Built) -> str:
    """The host of a provider's URL, looked at before a transaction begins. Raises BadProvider (422)."""
    return await built.providers.admitted(body.url)


def rows(built: Built, opened: Annotated[AsyncSession, session], caller: CallerDep) -> ProxyRepository:
    """Rows in a transaction that writes, and the trail of what the caller does in it."""
    return ProxyRepository(opened, by=by(caller), clock=built.clock)


Writer = Annotated[Caller, Depends(writer)]
Operator = Annotated[Caller, Depends(operator)]
AdmittedHost = Annotated[str, Depends(admitted_host)]
HostAdmitted = Depends(admitted_host)
Rows = Annotated[ProxyRepository, Depends(rows)]
Providers = Annotated[ProviderService, Depends(providing)]


def writing(built: Built, proxies: Rows) -> ProxyService:
    """Use cases in a transaction that writes."""
    return ProxyService(proxies, built.vault, built.clock)


def reading(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> ProxyService:
    """Use cases on one snapshot."""
    return ProxyService(ProxyRepository(opened), built.vault, built.clock)


def lent_seen(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> LentService:
    """Proxies that others lend, on one snapshot."""
    return LentService(LentRepository(opened), built.clock)


def importing(built: Built, proxies: Rows) -> ImportService:
    """The import in a transaction."""
    return ImportService(proxies, built.vault, built.clock)


async def screened(body: ProxyCreate, caller: Writer, built: Built) -> None:
    """Refuse a proxy inside the own network, before a transaction begins: looking a name up may take seconds.

    Raises InsideNetwork (422), and Forbidden (403) for who may not allow it.
    """
    await _screen(built, caller, body.ip, body.allow_internal)


async def screened_change(proxy_id: str, body: ProxyUpdate, caller: Writer, built: Built) -> None:
    """As `screened`, for a place that changes."""
    if body.ip is not None:
        await _screen(built, caller, body.ip, body.allow_internal or False)
    elif body.allow_internal:
        caller.require("operator")


async def screened_list(body: ImportRequest, caller: Writer, built: Built) -> Sequence[Found | Refused]:
    """The proxies of a list; lines inside the own network are refused. Raises Forbidden (403) as `screened`."""
    if body.allow_internal:
        caller.require("operator")
    return await admitted(body, built.gate)


async def _screen(built: Container, caller: Caller, host: str, internal: bool) -> None:
    if internal:
        caller.require("operator")
    elif why := await built.gate.screen([host]):
        raise InsideNetwork(next(iter(why)))


def checking(built: Built) -> CheckService:
    """Checks, which open their own short transactions."""
    return built.checks


Viewed = Annotated[Views, Depends(views)]
Kept = Annotated[Views, kept_dep(views)]
Proxies = Annotated[ProxyService, Depends(writing)]
ProxiesRead = Annotated[ProxyService, Depends(reading)]
LentRead = Annotated[LentService, Depends(lent_seen)]
Imports = Annotated[ImportService, Depends(importing)]
Screened = Depends(screened)
ScreenedChange = Depends(screened_change)
Listed = Annotated[Sequence[Found | Refused], Depends(screened_list)]
ScreenedList = Depends(screened_list)
Checks = Annotated[CheckService, Depends(checking)]
