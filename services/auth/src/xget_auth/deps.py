"""What the routes are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.repository import AuthRepository
from xget_auth.service import DirectoryService, KeyService, RegistrationService, SessionService
from xget_db.engine import Database
from xget_kernel.caller import ADMIN, Caller
from xget_web.auth import CallerDep
from xget_web.db import read_dep


@dataclass(frozen=True)
class Container:
    """What the app built for its routes, at `app.state.auth`."""

    database: Database
    registration: RegistrationService
    sessions: SessionService
    keys: KeyService
    directory: DirectoryService


def container(request: Request) -> Container:
    """The container of the app that serves this request."""
    return cast(Container, request.app.state.auth)


def database(request: Request) -> Database:
    """The tables of this service."""
    return container(request).database


Built = Annotated[Container, Depends(container)]


def address(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client else "unknown"


Address = Annotated[str, Depends(address)]


def admin(caller: CallerDep) -> Caller:
    """Raises Forbidden (403)."""
    caller.require(ADMIN)
    return caller


Admin = Annotated[Caller, Depends(admin)]


def reading(session: Annotated[AsyncSession, read_dep(database)]) -> AuthRepository:
    """Rows on one snapshot."""
    return AuthRepository(session)


Rows = Annotated[AuthRepository, Depends(reading)]
