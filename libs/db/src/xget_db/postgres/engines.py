"""Pools of connections to PostgreSQL."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from xget_db.failures import away
from xget_db.failures.postgres import explain
from xget_db.postgres.address import Address

_TRUSTED_SECONDS: Final = 20.0
"""A connection that was used so lately is not asked whether it lives: the driver hears of an ordinary end by itself."""
_RECYCLE_SECONDS: Final = 1800


def open_engine(address: Address) -> AsyncEngine:
    """A pool, bounded; nothing is connected yet."""

    async def connect() -> Any:
        try:
            return await address.connect()
        except Exception as error:
            known = explain(error)
            if known is None:
                raise
            raise known from error

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
        **address.pool,
    )
    _watch(engine)
    return engine


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool; each transaction sees one state and cannot write."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _watch(engine: AsyncEngine) -> None:
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, record: Any, _proxy: Any) -> None:
        dead = connection.driver_connection.is_closed()
        if not dead and time.monotonic() - record.info.get("used", time.monotonic()) > _TRUSTED_SECONDS:
            try:
                dialect.do_ping(connection)
            except Exception:  # noqa: BLE001 - whatever it says, another connection is taken
                dead = True
        if dead:
            raise InvalidatePoolError

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "handle_error")
    def explain_silence(context: ExceptionContext) -> None:
        """A server that vanished shows as an error of the operating system, which callers could take for theirs."""
        if isinstance(context.original_exception, OSError):
            raise away("PostgreSQL does not answer") from context.original_exception
