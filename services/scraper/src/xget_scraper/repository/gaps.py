"""SQL of gaps: what an execution is known to miss. Windows that meet, missing for the same reason, are one gap."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import CTE, Select, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.types import UtcDateTime
from xget_kernel.pages import PageQuery
from xget_scraper.models import ExecutionTarget, Gap, Segment, SegmentState

FIRST: Final = datetime(1000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""What an end that is left open is sorted as."""


class GapRepository:
    """Reads segments in given states as gaps."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count(self, execution_id: str, states: Collection[str]) -> int:
        """How many gaps there are."""
        gaps = _gaps(execution_id, states).subquery()
        return await self._session.scalar(select(func.count()).select_from(gaps)) or 0

    async def list(self, execution_id: str, states: Collection[str], page: PageQuery) -> Sequence[Gap]:
        """One page of them: target by target, newest first."""
        gaps = _gaps(execution_id, states).subquery()
        query = (
            select(ExecutionTarget.label, gaps)
            .join(ExecutionTarget, ExecutionTarget.n == gaps.c.target)
            .where(ExecutionTarget.execution_id == execution_id)
            .order_by(gaps.c.target, gaps.c.until.desc(), gaps.c.first)
            .limit(page.limit)
            .offset(page.offset)
        )
        return [
            Gap(
                label=row.label,
                since=row.since if row.since != FIRST else None,
                until=row.until if row.until != LAST else None,
                end_reason=row.end_reason,
                end_detail=row.end_detail,
            )
            for row in await self._session.execute(query)
        ]


def _gaps(execution_id: str, states: Collection[str]) -> Select[Any]:
    """Segments side by side, newest first, grouped by how many gaps begin up to each of them."""
    alike = ("target", "windowed", "end_reason", "end_detail")
    parts = _parts(execution_id, states)
    columns = [parts.c[name] for name in alike]
    order = (parts.c.until.desc(), parts.c.n)
    lowest = func.min(parts.c.since).over(partition_by=columns, order_by=order, rows=(None, -1))
    begins = case((and_(parts.c.windowed, parts.c.until >= lowest), 0), else_=1).label("begins")
    marked = select(parts, begins).cte("marked")
    columns = [marked.c[name] for name in alike]
    number = func.sum(marked.c.begins).over(partition_by=columns, order_by=(marked.c.until.desc(), marked.c.n))
    numbered = select(marked, number.label("number")).cte("numbered")
    columns = [numbered.c[name] for name in alike]
    span = (func.min(numbered.c.since).label("since"), func.max(numbered.c.until).label("until"))
    first = func.min(numbered.c.n).label("first")
    return select(*columns, *span, first).group_by(*columns, numbered.c.number)


def _parts(execution_id: str, states: Collection[str]) -> CTE:
    started = and_(Segment.windowed, Segment.state == SegmentState.OPEN.value, Segment.oldest_at.is_not(None))
    until = case((started, Segment.oldest_at), else_=func.coalesce(Segment.until, literal(LAST, UtcDateTime())))
    return (
        select(
            Segment.target,
            Segment.n,
            Segment.windowed,
            Segment.end_reason,
            Segment.end_detail,
            func.coalesce(Segment.since, literal(FIRST, UtcDateTime())).label("since"),
            until.label("until"),
        )
        .where(Segment.execution_id == execution_id, Segment.state.in_(states))
        .cte("parts")
    )
