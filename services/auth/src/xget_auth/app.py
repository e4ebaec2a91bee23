"""Builds the auth service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from xget.auth.v1.user_directory_pb2_grpc import add_UserDirectoryServicer_to_server
from xget_auth.adapters.argon2 import Argon2Passwords
from xget_auth.adapters.jose import Es256KeyPairs
from xget_auth.deps import Container
from xget_auth.models import SEALED
from xget_auth.repository import AuthRepository
from xget_auth.repository.audit import key_note
from xget_auth.router import router, wellknown
from xget_auth.rpc import SERVICE_NAME, UserDirectory
from xget_auth.service import DirectoryService, KeyService, RegistrationService, SessionService
from xget_auth.service.work import Work
from xget_auth.settings import NAME, Settings
from xget_db.clock import ServerClock
from xget_db.engine import Database
from xget_db.migrations import upgrade
from xget_kernel.clock import Clock
from xget_kernel.secrets import Keyring
from xget_rpc.server import RpcServer
from xget_web.app import build_app
from xget_web.auth import TokenVerifier
from xget_web.keys import keys_answer, keys_router, opened_keys

TAGS = [{"name": "auth", "description": "Registration, logins, tokens and the keys that sign them."}]


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The auth service. Nothing runs before the lifespan begins."""
    time = ServerClock(clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await asyncio.to_thread(upgrade, settings.tables_url, "xget_auth")
            database = Database(settings.tables_url)
            stack.push_async_callback(database.close)
            await stack.enter_async_context(time.following(database))
            desk = await stack.enter_async_context(
                opened_keys(app, settings, database, SEALED, trail=key_note, clock=time)
            )
            app.state.auth = built = await _build(settings, database, desk.keys.ring, time)
            server = RpcServer(settings.host, settings.grpc_port, settings.internal_token)
            server.add(add_UserDirectoryServicer_to_server, UserDirectory(built.directory), SERVICE_NAME)
            app.state.grpc_port = await server.start()
            stack.push_async_callback(server.stop, 2.0)
            yield

    async def keys() -> Mapping[str, Any]:
        built: Container = app.state.auth
        return {"keys": await built.keys.published()}

    async def tables() -> str | None:
        built: Container = app.state.auth
        async with reading_of(built.database)() as repository:
            return None if await repository.keys.signing(time.now()) else "There is no signing key."

    app = build_app(
        service=NAME,
        title="XGet auth",
        settings=settings,
        routers=[keys_router("/api/v1/auth/data-keys", "auth"), router, wellknown],
        lifespan=lifespan,
        readiness=[tables, keys_answer(lambda: app)],
        verifier=TokenVerifier(keys, clock=time),
        tags=TAGS,
    )
    return app


async def _build(settings: Settings, database: Database, ring: Keyring, clock: Clock) -> Container:
    work = work_of(database)
    passwords = Argon2Passwords(settings.argon2_memory_kib)
    keys = signing_keys(database, ring, clock)
    await keys.ensure()
    await passwords.warm()
    life = timedelta(days=settings.refresh_days)
    return Container(
        database,
        RegistrationService(work, passwords, clock, is_open=settings.registration == "open"),
        SessionService(work, passwords, keys, clock, refresh_life=life),
        keys,
        DirectoryService(reading_of(database), open_mode=settings.open_mode),
    )


def signing_keys(database: Database, ring: Keyring, clock: Clock) -> KeyService:
    """The use cases of signing keys on these tables."""
    return KeyService(work_of(database), reading_of(database), Es256KeyPairs(), ring, clock)


def work_of(database: Database) -> Work:
    """Transactions of the use cases."""

    @asynccontextmanager
    async def work() -> AsyncIterator[AuthRepository]:
        async with database.transaction() as session:
            yield AuthRepository(session)

    return work


def reading_of(database: Database) -> Work:
    """Snapshots of the use cases that only read."""

    @asynccontextmanager
    async def work() -> AsyncIterator[AuthRepository]:
        async with database.read() as session:
            yield AuthRepository(session)

    return work
