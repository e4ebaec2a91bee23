"""Migrations of a schema on a PostgreSQL server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from xget_db.failures.postgres import explain, sqlstate
from xget_db.migrations.scripts import ONE_AT_A_TIME, Scripts
from xget_db.postgres.address import Address
from xget_kernel.errors import StartupError

PATIENCE_SECONDS: Final = 10.0
OLDEST: Final = 14
_T = TypeVar("_T")
_FINAL: Final = ("28", "3D000", "42", "22", "0A")
"""SQLSTATEs (or their beginnings) that waiting does not mend."""


def migrate(address: Address, scripts: Scripts, down_to: str | None) -> None:
    """Up to the head, or down to a revision; all or nothing. Raises StartupError."""
    with ONE_AT_A_TIME:
        _in_thread(_migrate(address, scripts, down_to))


def current(address: Address, scripts: Scripts) -> str | None:
    """The revision of the schema, None when it is not there. Raises StartupError."""
    return _in_thread(_current(address, scripts))


def check_version(number: int, address: Address) -> None:
    """Raises StartupError for a server that is too old. `number` is `server_version_num`."""
    if number < OLDEST * 10_000:
        raise StartupError(
            f"PostgreSQL at {address.name} has version {number // 10_000}, and XGet needs {OLDEST} or newer: upgrade "
            "the server, or set POSTGRES_SERVER (or DATABASE_URL) to another."
        )


async def _migrate(address: Address, scripts: Scripts, down_to: str | None) -> None:
    async with _guarded(address, scripts.package) as guard:
        await guard.execute("SELECT pg_advisory_lock($1)", address.slot("migrations"))
        if not await guard.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", address.schema):
            await guard.execute('CREATE SCHEMA "{}"'.format(address.schema.replace('"', '""')))
        await _on_schema(address, lambda connection: scripts.migrate(connection, address.name, down_to))


async def _current(address: Address, scripts: Scripts) -> str | None:
    async with _guarded(address, scripts.package):
        return await _on_schema(address, scripts.current)


async def _on_schema(address: Address, work: Callable[[Connection], _T]) -> _T:
    """What `work` gives on a connection, in one transaction."""
    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=NullPool, async_creator=lambda: address.connect(patient=True)
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _guarded(address: Address, package: str) -> AsyncIterator[Any]:
    """A connection that holds the lock of this schema's migrations, and sentences for what goes wrong."""
    guard = await _reach(address)
    try:
        check_version(int(await guard.fetchval("SHOW server_version_num")), address)
        yield guard
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise _failed(error, address, package) from error
    finally:
        guard.terminate()


async def _reach(address: Address) -> Any:
    """A connection, as soon as the server answers. Raises StartupError when it does not, or will not have us."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await address.connect(patient=True)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if sqlstate(error).startswith(_FINAL) or explain(error) is None or time.monotonic() > until:
                raise _unreachable(error, address) from error
        await asyncio.sleep(0.3)


def _unreachable(error: Exception, address: Address) -> StartupError:
    state = sqlstate(error)
    if state.startswith("28"):
        return StartupError(
            f"PostgreSQL at {address.name} refuses the user or the password: correct POSTGRES_USER and "
            "POSTGRES_PASSWORD beside POSTGRES_SERVER (or DATABASE_URL)."
        )
    if state == "3D000":
        return StartupError(
            f"The database does not exist on PostgreSQL at {address.name}: create it, or correct POSTGRES_DB beside "
            "POSTGRES_SERVER (or DATABASE_URL)."
        )
    if isinstance(error, asyncpg.ClientConfigurationError):
        return StartupError(
            f"DATABASE_URL for PostgreSQL at {address.name} cannot be used ({_reason(error)}): correct it."
        )
    return StartupError(
        f"PostgreSQL at {address.name} does not answer ({_reason(error)}): start the server, or correct "
        "POSTGRES_SERVER (or DATABASE_URL)."
    )


def _failed(error: Exception, address: Address, package: str) -> StartupError:
    if sqlstate(error) == "42501":
        return StartupError(
            f"The user of PostgreSQL at {address.name} may not make the schema {address.schema} or its tables: grant "
            "CREATE on the database to the user of POSTGRES_SERVER (or DATABASE_URL)."
        )
    return StartupError(
        f"The tables of {package} on PostgreSQL at {address.name} cannot be brought up to date ({_reason(error)}): "
        "nothing was changed; put back a backup of the database, or set POSTGRES_SERVER (or DATABASE_URL) to another."
    )


def _reason(error: Exception) -> str:
    reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return reason or type(error).__name__


def _in_thread(work: Coroutine[Any, Any, _T]) -> _T:
    """Run it in a loop of its own, whatever loop this thread may have."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
