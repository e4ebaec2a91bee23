"""SQL of parsers: what they have read, whether they read now, and the pages that wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_contracts.events import PageCollected
from xget_db.locks import locked
from xget_db.ordering import in_bytes
from xget_db.upserts import insert
from xget_processing.models import (
    FROZEN,
    READING,
    THAWING,
    FrozenPage,
    ParserMinute,
    ParserState,
    ParserVersion,
)

ParserKey = tuple[str, str]
"""Route and operation."""
FrozenKey = tuple[str, int, int]
"""Execution id, page number, attempt."""


class ParserRepository:
    """Versions, states and windows of parsers, and frozen pages."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count_parsed(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add to what parser versions have read."""
        fresh = insert(self._session, ParserVersion)
        added = {name: getattr(ParserVersion, name) + fresh.excluded[name] for name in ("pages", "items", "rejected")}
        await self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=["platform", "version"], set_={**added, "last_used": fresh.excluded.last_used}
            ),
            rows,
        )

    async def versions(self) -> Sequence[ParserVersion]:
        """All parser versions that have read something, newest first within their platform."""
        order = select(ParserVersion).order_by(in_bytes(ParserVersion.platform), ParserVersion.first_used.desc())
        return (await self._session.scalars(order)).all()

    async def meet(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert parsers that are not known yet."""
        await self._session.execute(insert(self._session, ParserState).on_conflict_do_nothing(), rows)

    async def states(self) -> list[tuple[ParserState, int]]:
        """All parsers by name, and how many pages wait for each."""
        waiting = (
            select(FrozenPage.route, FrozenPage.operation, func.count().label("pages"))
            .group_by(FrozenPage.route, FrozenPage.operation)
            .subquery()
        )
        same = (waiting.c.route == ParserState.route) & (waiting.c.operation == ParserState.operation)
        query = select(ParserState, func.coalesce(waiting.c.pages, 0)).outerjoin(waiting, same)
        rows = await self._session.execute(query.order_by(in_bytes(ParserState.route), in_bytes(ParserState.operation)))
        return [(state, pages) for state, pages in rows]

    async def not_reading(self, keys: Iterable[ParserKey] | None = None) -> list[ParserState]:
        """Parsers (of these) that are frozen or thawing, by name; locked in a transaction that writes."""
        query = select(ParserState).where(ParserState.state != READING)
        if keys is not None:
            query = query.where(tuple_(ParserState.route, ParserState.operation).in_(list(keys)))
        ordered = query.order_by(in_bytes(ParserState.route), in_bytes(ParserState.operation))
        return list(await self._session.scalars(locked(self._session, ordered)))

    async def state(self, key: ParserKey) -> ParserState | None:
        """One parser; locked in a transaction that writes."""
        query = select(ParserState).where(ParserState.route == key[0], ParserState.operation == key[1])
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def count_window(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add to the minutes of parser versions."""
        fresh = insert(self._session, ParserMinute)
        added = {name: getattr(ParserMinute, name) + fresh.excluded[name] for name in ("pages", "failures")}
        await self._session.execute(
            fresh.on_conflict_do_update(index_elements=["route", "operation", "version", "minute"], set_=added), rows
        )

    async def window(self, key: ParserKey, version: str, since: datetime) -> tuple[int, int]:
        """Pages of a version since a minute, and thousandths of them that were rejected."""
        row = await self._session.execute(
            select(
                func.coalesce(func.sum(ParserMinute.pages), 0), func.coalesce(func.sum(ParserMinute.failures), 0)
            ).where(
                ParserMinute.route == key[0],
                ParserMinute.operation == key[1],
                ParserMinute.version == version,
                ParserMinute.minute >= since,
            )
        )
        pages, failures = row.one()
        return int(pages), int(failures)

    async def forget_windows(self, key: ParserKey, *, before: datetime | None = None) -> None:
        """Delete a parser's minutes, all or those before one."""
        statement = delete(ParserMinute).where(ParserMinute.route == key[0], ParserMinute.operation == key[1])
        if before is not None:
            statement = statement.where(ParserMinute.minute < before)
        await self._session.execute(statement)

    async def freeze(self, key: ParserKey, values: dict[str, Any]) -> ParserState | None:
        """Freeze a parser; None when it is frozen already."""
        return await self._change(key, (READING, THAWING), {"state": FROZEN, **values})

    async def thaw(self, key: ParserKey, values: dict[str, Any]) -> ParserState | None:
        """Let a frozen parser read what waits; None when it is not frozen."""
        return await self._change(key, (FROZEN,), {"state": THAWING, **values})

    async def read_again(self, key: ParserKey, now: datetime) -> ParserState | None:
        """Nothing waits for a thawing parser any more; None when it is not thawing."""
        return await self._change(key, (THAWING,), {"state": READING, "since": now})

    async def _change(self, key: ParserKey, states: Sequence[str], values: dict[str, Any]) -> ParserState | None:
        changed = await self._session.scalars(
            update(ParserState)
            .where(ParserState.route == key[0], ParserState.operation == key[1], ParserState.state.in_(states))
            .values(values)
            .returning(ParserState)
            .execution_options(populate_existing=True)
        )
        return changed.one_or_none()

    async def put_aside(self, pages: Sequence[tuple[PageCollected, str | None]], now: datetime) -> None:
        """Keep pages with their traces until their parser reads; those that are kept stay as they are."""
        rows = [
            {
                "execution_id": page.execution_id,
                "page_no": page.page_no,
                "attempt": page.attempt,
                "route": page.route,
                "operation": page.operation,
                "message": msgspec.msgpack.encode(page),
                "traceparent": traceparent,
                "frozen_at": now,
            }
            for page, traceparent in pages
        ]
        rows.sort(key=lambda row: (row["execution_id"], row["page_no"], row["attempt"]))
        await self._session.execute(insert(self._session, FrozenPage).on_conflict_do_nothing(), rows)

    async def waiting(self, key: ParserKey, limit: int) -> list[tuple[PageCollected, str | None]]:
        """The first pages that wait for a parser, in the order in which they were collected, with their traces."""
        rows = await self._session.scalars(
            select(FrozenPage)
            .where(FrozenPage.route == key[0], FrozenPage.operation == key[1])
            .order_by(FrozenPage.execution_id, FrozenPage.page_no, FrozenPage.attempt)
            .limit(limit)
        )
        return [(msgspec.msgpack.decode(row.message, type=PageCollected), row.traceparent) for row in rows]

    async def count_waiting(self, key: ParserKey) -> int:
        """How many pages wait for a parser."""
        query = select(func.count()).where(FrozenPage.route == key[0], FrozenPage.operation == key[1])
        return await self._session.scalar(query) or 0

    async def take(self, keys: Sequence[FrozenKey]) -> set[FrozenKey]:
        """Delete pages that wait; which of them were still there."""
        where = tuple_(FrozenPage.execution_id, FrozenPage.page_no, FrozenPage.attempt).in_(list(keys))
        rows = await self._session.execute(
            delete(FrozenPage).where(where).returning(FrozenPage.execution_id, FrozenPage.page_no, FrozenPage.attempt)
        )
        return {(execution_id, page_no, attempt) for execution_id, page_no, attempt in rows}
