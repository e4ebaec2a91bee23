"""SQL of quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVarTuple

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from xget_contracts.events import PageCollected
from xget_db.locks import locked
from xget_db.upserts import insert
from xget_kernel.pages import PageQuery
from xget_processing.models import OPEN, REPLAYED, QuarantinedPage, QuarantinedRecord, RecordFilter

_Row = TypeVarTuple("_Row")
PageId = tuple[str, int]
"""Execution id and page number."""


class RecordRepository:
    """Quarantined records and their pages."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert records; one that is there (execution, page, path, parser version) stays as it is."""
        if rows:
            await self._session.execute(insert(self._session, QuarantinedRecord).on_conflict_do_nothing(), rows)

    async def keep_pages(self, pages: Sequence[PageCollected]) -> None:
        """Keep whole pages; a repetition replaces."""
        rows = [
            {"execution_id": page.execution_id, "page_no": page.page_no, "message": msgspec.msgpack.encode(page)}
            for page in pages
        ]
        if rows:
            fresh = insert(self._session, QuarantinedPage)
            await self._session.execute(
                fresh.on_conflict_do_update(
                    index_elements=["execution_id", "page_no"], set_={"message": fresh.excluded.message}
                ),
                rows,
            )

    async def close_others(self, page: PageId, open_paths: Sequence[str], version: str, now: datetime) -> int:
        """Mark a page's open records as replayed, those apart that `version` still rejects; how many were closed."""
        still = (QuarantinedRecord.parser_version == version) & QuarantinedRecord.path.in_(open_paths)
        done = await self._session.execute(
            update(QuarantinedRecord)
            .where(
                QuarantinedRecord.execution_id == page[0],
                QuarantinedRecord.page_no == page[1],
                QuarantinedRecord.state == OPEN,
                ~still,
            )
            .values(state=REPLAYED, updated_at=now)
            .returning(QuarantinedRecord.id)
        )
        return len(done.all())

    async def pages_with_records(self, pages: Sequence[PageId]) -> set[PageId]:
        """Those of the pages that have open records."""
        found = await self._session.execute(
            select(QuarantinedRecord.execution_id, QuarantinedRecord.page_no)
            .where(
                QuarantinedRecord.execution_id.in_({execution_id for execution_id, _ in pages}),
                QuarantinedRecord.state == OPEN,
            )
            .distinct()
        )
        return {(execution_id, page_no) for execution_id, page_no in found} & set(pages)

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

    async def open_pages(self, wanted: RecordFilter, limit: int) -> tuple[list[PageId], int]:
        """Pages of open records, oldest first, at most `limit`; and how many there are in all."""
        grouped = _filtered(
            select(QuarantinedRecord.execution_id, QuarantinedRecord.page_no)
            .where(QuarantinedRecord.state == OPEN)
            .group_by(QuarantinedRecord.execution_id, QuarantinedRecord.page_no),
            wanted,
        )
        total = await self._session.scalar(select(func.count()).select_from(grouped.subquery()))
        rows = await self._session.execute(grouped.order_by(func.min(QuarantinedRecord.id)).limit(limit))
        return [(execution_id, page_no) for execution_id, page_no in rows], total or 0

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
    ]
    conditions: list[ColumnElement[bool]] = [column == value for column, value in columns if value is not None]
    if wanted.ids is not None:
        conditions.append(QuarantinedRecord.id.in_(wanted.ids))
    return statement.where(*conditions)
