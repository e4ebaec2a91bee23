"""SQL of quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVarTuple

import msgspec
from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from xget_contracts.events import PageCollected
from xget_db.locks import locked
from xget_db.upserts import insert
from xget_kernel.pages import PageQuery
from xget_processing.models import OPEN, REPLAYED, QuarantinedPage, QuarantinedRecord, RecordFilter

_Row = TypeVarTuple("_Row")
PageId = tuple[str, int, int]
"""Execution id, page number, attempt."""


_PAGE: Final = ("execution_id", "page_no", "attempt")
_PAGE_OF_RECORD: Final = (QuarantinedRecord.execution_id, QuarantinedRecord.page_no, QuarantinedRecord.attempt)


class RecordRepository:
    """Quarantined records and their pages."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert records; one that is there (execution, page, attempt, path, parser version) stays as it is."""
        if rows:
            await self._session.execute(insert(self._session, QuarantinedRecord).on_conflict_do_nothing(), rows)

    async def keep_page(self, page: PageId, body: PageCollected) -> None:
        """Keep a whole page; a repetition replaces."""
        row = dict(zip(_PAGE, page, strict=True)) | {"message": msgspec.msgpack.encode(body)}
        fresh = insert(self._session, QuarantinedPage)
        await self._session.execute(
            fresh.on_conflict_do_update(index_elements=_PAGE, set_={"message": fresh.excluded.message}), [row]
        )

    async def close_others(self, page: PageId, open_paths: Sequence[str], version: str, now: datetime) -> int:
        """Mark a page's open records as replayed, those apart that `version` still rejects; how many were closed."""
        still = (QuarantinedRecord.parser_version == version) & QuarantinedRecord.path.in_(open_paths)
        done = await self._session.execute(
            update(QuarantinedRecord)
            .where(
                QuarantinedRecord.execution_id == page[0],
                QuarantinedRecord.page_no == page[1],
                QuarantinedRecord.attempt == page[2],
                QuarantinedRecord.state == OPEN,
                ~still,
            )
            .values(state=REPLAYED, updated_at=now)
            .returning(QuarantinedRecord.id)
        )
        return len(done.all())

    async def pages_with_records(self, pages: Sequence[PageId]) -> set[PageId]:
        """Those of the pages that have open records, in whichever attempt; each as it was given."""
        found = await self._session.execute(
            select(QuarantinedRecord.execution_id, QuarantinedRecord.page_no)
            .where(QuarantinedRecord.execution_id.in_({page[0] for page in pages}), QuarantinedRecord.state == OPEN)
            .distinct()
        )
        there = {(execution_id, page_no) for execution_id, page_no in found}
        return {page for page in pages if page[:2] in there}

    async def count_open(self, page: PageId) -> int:
        """How many different records of a page are open, over all attempts."""
        known_by = func.coalesce(QuarantinedRecord.native_id, QuarantinedRecord.path)
        query = select(func.count(known_by.distinct())).where(
            QuarantinedRecord.state == OPEN,
            QuarantinedRecord.execution_id == page[0],
            QuarantinedRecord.page_no == page[1],
        )
        return await self._session.scalar(query) or 0

    async def find(self, wanted: RecordFilter, page: PageQuery) -> tuple[Sequence[QuarantinedRecord], int]:
        """Newest first, without the raw payloads; and how many there are."""
        total = await self._session.scalar(_filtered(select(func.count()).select_from(QuarantinedRecord), wanted))
        rows = await self._session.scalars(
            _filtered(select(QuarantinedRecord), wanted)
            .options(defer(QuarantinedRecord.raw_zstd))
            .order_by(QuarantinedRecord.id.desc())
            .limit(page.limit)
            .offset(page.offset)
        )
        return rows.all(), total or 0

    async def get(self, record_id: str, owner: str | None) -> QuarantinedRecord | None:
        """One record with its payload; locked in a transaction that writes."""
        query = _filtered(select(QuarantinedRecord), RecordFilter(owner=owner, ids=[record_id]))
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def open_pages(
        self, wanted: RecordFilter, limit: int, after: PageId | None = None, *, counted: bool = True
    ) -> tuple[list[PageId], int]:
        """Pages of open records in the order of their executions, after one; and how many there are (0: not counted).

        Counting reads all that is left, however few pages are asked for.
        """
        query = _filtered(select(*_PAGE_OF_RECORD).where(QuarantinedRecord.state == OPEN).distinct(), wanted)
        if after is not None:
            query = query.where(tuple_(*_PAGE_OF_RECORD) > tuple_(*map(literal, after)))
        counting = select(func.count()).select_from(query.subquery())
        total = await self._session.scalar(counting) if counted else 0
        rows = await self._session.execute(query.order_by(*_PAGE_OF_RECORD).limit(limit))
        return [(execution_id, page_no, attempt) for execution_id, page_no, attempt in rows], total or 0

    async def page(self, page: PageId) -> PageCollected | None:
        """The whole page."""
        kept = await self._session.get(QuarantinedPage, page)
        return None if kept is None else msgspec.msgpack.decode(kept.message, type=PageCollected)


def _filtered(statement: Select[*_Row], wanted: RecordFilter) -> Select[*_Row]:
    columns: list[tuple[Any, str | None]] = [
        (QuarantinedRecord.owner_id, wanted.owner),
        (QuarantinedRecord.platform, wanted.platform),
        (QuarantinedRecord.state, wanted.state),
        (QuarantinedRecord.execution_id, wanted.execution_id),
        (QuarantinedRecord.task_id, wanted.task_id),
        (QuarantinedRecord.operation, wanted.operation),
        (QuarantinedRecord.parser_version, wanted.parser_version),
    ]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in columns if value is not None]
    if wanted.ids is not None:
        conditions.append(QuarantinedRecord.id.in_(wanted.ids))
    return statement.where(*conditions)
