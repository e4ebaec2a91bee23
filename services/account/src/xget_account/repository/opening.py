"""Opens the tables for the pool."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from xget_account.repository.leases import LeaseRepository
from xget_account.repository.pool import PoolRepository
from xget_contracts.events import ACCOUNT_EVENTS
from xget_db.direct import Direct
from xget_db.engine import Database

T = TypeVar("T")


class PoolTables:
    """Each call is one transaction; `account_events` is the topic's name."""

    def __init__(self, database: Database, account_events: str = ACCOUNT_EVENTS) -> None:
        self._database = database
        self._account_events = account_events

    async def pool(self, work: Callable[[PoolRepository], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives, for what happens at every page; it awaits nothing but the repository."""

        async def done(direct: Direct) -> T:
            repository = self._opened(direct)
            answer = await work(repository)
            await repository.close()
            return answer

        return await self._database.directly(done)

    async def glance(self, work: Callable[[PoolRepository], Coroutine[Any, Any, T]]) -> T:
        """As `pool`, for work that writes once: on PostgreSQL nothing is locked before, and a way to it is saved each
        for beginning and end. On SQLite it is the same.
        """
        if self._database.dialect != "postgresql":
            return await self.pool(work)
        return await self._database.singly(lambda direct: work(self._opened(direct, lock=False)))

    def _opened(self, direct: Direct, *, lock: bool = True) -> PoolRepository:
        return PoolRepository(direct, lock=lock)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[LeaseRepository]:
        """For what changes the state of accounts, and is announced."""
        async with self._database.transaction() as session:
            yield LeaseRepository(session, self._account_events)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[LeaseRepository]:
        """For looking, on one snapshot."""
        async with self._database.read() as session:
            yield LeaseRepository(session, self._account_events)
