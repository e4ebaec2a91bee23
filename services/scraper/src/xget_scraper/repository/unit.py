"""One transaction with all repositories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.engine import Database
from xget_db.outbox import Outbox
from xget_kernel.clock import Clock
from xget_scraper.models import OUTBOX
from xget_scraper.repository.executions import ExecutionRepository
from xget_scraper.repository.figures import FigureRepository
from xget_scraper.repository.gaps import GapRepository
from xget_scraper.repository.matches import MatchRepository
from xget_scraper.repository.observations import ObservationRepository
from xget_scraper.repository.pages import PageRepository
from xget_scraper.repository.segments import SegmentRepository
from xget_scraper.repository.tasks import TaskRepository


class Unit:
    """What happens together or not at all. `clock` dates what is announced."""

    def __init__(self, session: AsyncSession, clock: Clock | None = None) -> None:
        self._session = session
        self._outbox = Outbox(session, OUTBOX, source="scraper", clock=clock)
        self.tasks = TaskRepository(session)
        self.executions = ExecutionRepository(session)
        self.pages = PageRepository(session)
        self.matches = MatchRepository(session)
        self.gaps = GapRepository(session)
        self.segments = SegmentRepository(session)
        self.observations = ObservationRepository(session)
        self.figures = FigureRepository(session)

    def emit(self, topic: str, key: str, body: msgspec.Struct) -> None:
        """Announce a fact with the commit."""
        self._outbox.emit(topic, key, body)

    async def flush(self) -> None:
        """Send what is pending, so that queries of this transaction see it."""
        await self._session.flush()


class Store:
    """Opens transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Write; commits at the end of the block. Raises Full (507) when there is no room."""
        async with self._database.transaction() as session:
            yield Unit(session)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """Read only."""
        async with self._database.read() as session:
            yield Unit(session)
