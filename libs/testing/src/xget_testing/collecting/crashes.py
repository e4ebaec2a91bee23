"""Workers that die: an exception that nothing in the product catches, raised by the log or the database under them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database
from xget_events.sqlite import SqliteEventLog
from xget_kernel.messages import Message


class Crash(BaseException):
    """The process is gone."""


class CrashingLog:
    """A log whose process dies with the n-th page that it publishes, before or after it is durable."""

    def __init__(self, log: SqliteEventLog, page: int, *, durable: bool) -> None:
        self._log = log
        self._page = page
        self._durable = durable

    async def publish(self, messages: Sequence[Message]) -> None:
        self._page -= sum(message.topic == "xget.pages" for message in messages)
        if self._page == 0 and not self._durable:
            raise Crash
        await self._log.publish(messages)
        if self._page == 0:
            raise Crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def crashing_database(transaction: int, *, committed: bool) -> type[Database]:
    """A database whose process dies in its n-th write, before or after the commit."""
    left = [transaction]

    class CrashingDatabase(Database):
        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[AsyncSession]:
            left[0] -= 1
            dies = left[0] == 0
            async with super().transaction() as session:
                yield session
                if dies and not committed:
                    raise Crash
            if dies:
                raise Crash

    return CrashingDatabase


async def dead(worker: asyncio.Task[None]) -> None:
    """Wait for the crash."""
    async with asyncio.timeout(60):
        with pytest.raises(BaseExceptionGroup) as failed:
            await worker
    assert failed.group_contains(Crash)
