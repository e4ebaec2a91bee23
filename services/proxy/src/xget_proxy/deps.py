"""What the routes are given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_proxy.repository import ProxyRepository
from xget_proxy.service import CheckService, ImportService, ProxyService, Vault, Work
from xget_web.auth import CallerDep
from xget_web.db import read_dep, session_dep


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.proxy`."""

    database: Database
    vault: Vault
    clock: Clock
    checks: CheckService


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.proxy)


def database(request: Request) -> Database:
    """The tables of this service."""
    return container(request).database


session = session_dep(database)
Built = Annotated[Container, Depends(container)]


def units(opened: Callable[[], AbstractAsyncContextManager[AsyncSession]]) -> Work:
    """Repositories, each in a transaction of its own, for use cases that are not one request."""

    @asynccontextmanager
    async def unit() -> AsyncIterator[ProxyRepository]:
        async with opened() as session:
            yield ProxyRepository(session)

    return unit


def writer(caller: CallerDep) -> Caller:
    """A caller who may change proxies. Raises Forbidden (403)."""
    caller.require("operator", "analyst")
    return caller


def writing(built: Built, opened: Annotated[AsyncSession, session]) -> ProxyService:
    """Use cases in a transaction that writes."""
    return ProxyService(ProxyRepository(opened), built.vault, built.clock)


def reading(built: Built, opened: Annotated[AsyncSession, read_dep(database)]) -> ProxyService:
    """Use cases on one snapshot."""
    return ProxyService(ProxyRepository(opened), built.vault, built.clock)


def importing(built: Built, opened: Annotated[AsyncSession, session]) -> ImportService:
    """The import in a transaction."""
    return ImportService(ProxyRepository(opened), built.vault, built.clock)


def checking(built: Built) -> CheckService:
    """Checks, which open their own short transactions."""
    return built.checks


Writer = Annotated[Caller, Depends(writer)]
Proxies = Annotated[ProxyService, Depends(writing)]
ProxiesRead = Annotated[ProxyService, Depends(reading)]
Imports = Annotated[ImportService, Depends(importing)]
Checks = Annotated[CheckService, Depends(checking)]
