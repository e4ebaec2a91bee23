"""Transactions, and what is announced with their commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from xget_contracts.events import PARSER_EVENTS, PageParsed, ParserChanged
from xget_db.engine import Database
from xget_db.outbox import Outbox
from xget_kernel.clock import Clock
from xget_processing.models import OUTBOX
from xget_processing.repository.drift import DriftRepository
from xget_processing.repository.forgetting import ForgettingRepository
from xget_processing.repository.parsers import ParserRepository
from xget_processing.repository.records import RecordRepository
from xget_processing.settings import NAME


class Unit:
    """One session's repositories."""

    def __init__(self, session: AsyncSession, outbox: Outbox | None, results: str, parser_events: str) -> None:
        self.records = RecordRepository(session)
        self.parsers = ParserRepository(session)
        self.drift = DriftRepository(session)
        self.forgetting = ForgettingRepository(session)
        self._outbox = outbox
        self._results = results
        self._parser_events = parser_events

    def announce(self, result: PageParsed, traceparent: str | None = None) -> None:
        """Send what a page holds with the commit of this transaction; without `traceparent` in the present trace."""
        headers = {"traceparent": traceparent} if traceparent else None
        self._writing.emit(self._results, result.execution_id, result, headers)

    def tell(self, change: ParserChanged) -> None:
        """Send a parser's new state with the commit of this transaction."""
        self._writing.emit(self._parser_events, change.parser, change)

    @property
    def _writing(self) -> Outbox:
        if self._outbox is None:
            raise RuntimeError("A session that only reads cannot announce: open a transaction.")
        return self._outbox


class Store:
    """Opens transactions; what is announced in one is sent after its commit."""

    def __init__(self, database: Database, results: str, clock: Clock, *, parser_events: str = PARSER_EVENTS) -> None:
        self._database = database
        self._results = results
        self._clock = clock
        self._parser_events = parser_events

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Unit]:
        """Commits at the end of the block."""
        async with self._database.transaction() as session:
            outbox = Outbox(session, OUTBOX, source=NAME, clock=self._clock)
            yield Unit(session, outbox, self._results, self._parser_events)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """One state of the tables."""
        async with self._database.read() as session:
            yield Unit(session, None, self._results, self._parser_events)
