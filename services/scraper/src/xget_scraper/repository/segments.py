"""SQL of targets, segments and marks. The caller of what writes holds the lock of the execution."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, nulls_first, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.pages import PageQuery
from xget_scraper.models import SOUND, ExecutionTarget, Mark, Segment, SegmentState

MISSING = (SegmentState.GAP.value, SegmentState.FAILED.value, SegmentState.OPEN.value)
"""States of segments that an ended execution did not get to the end of."""
ENDS = (SegmentState.DONE.value, SegmentState.GAP.value, SegmentState.FAILED.value)
UNFINISHED = (SegmentState.GAP.value, SegmentState.OPEN.value)


class SegmentRepository:
    """Rows of what an execution is collected in."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, row: ExecutionTarget | Segment) -> None:
        self._session.add(row)

    async def get(self, execution_id: str, n: int) -> tuple[Segment, ExecutionTarget]:
        """A segment that there is, and its target."""
        segment = await self._session.get_one(Segment, (execution_id, n))
        return segment, await self._session.get_one(ExecutionTarget, (execution_id, segment.target))

    async def next_open(self, execution_id: str) -> tuple[Segment, ExecutionTarget] | None:
        """What is to be collected next: target by target, larger windows before smaller ones, newest first."""
        query = (
            select(Segment)
            .where(Segment.execution_id == execution_id, Segment.state == SegmentState.OPEN.value)
            .order_by(Segment.target, Segment.depth, nulls_first(Segment.until.desc()), Segment.n)
            .limit(1)
        )
        segment = (await self._session.scalars(query)).one_or_none()
        if segment is None:
            return None
        return segment, await self._session.get_one(ExecutionTarget, (execution_id, segment.target))

    async def has_open(self, execution_id: str, target: int | None = None) -> bool:
        """Whether something is still to be collected, of one target or at all."""
        query = select(Segment.n).where(Segment.execution_id == execution_id, Segment.state == SegmentState.OPEN.value)
        if target is not None:
            query = query.where(Segment.target == target)
        return await self._session.scalar(query.limit(1)) is not None

    async def endings(self, execution_id: str, target: int) -> set[str]:
        """Why a target's segments ended, those aside that others went on in the place of."""
        query = (
            select(Segment.end_reason)
            .where(Segment.execution_id == execution_id, Segment.state.in_(ENDS), Segment.target == target)
            .distinct()
        )
        return {reason for reason in await self._session.scalars(query) if reason}

    async def reasons(self, execution_id: str) -> Sequence[str]:
        """The different end reasons of an execution's targets."""
        query = select(ExecutionTarget.end_reason).where(ExecutionTarget.execution_id == execution_id).distinct()
        return sorted(reason for reason in await self._session.scalars(query) if reason)

    async def close_open(
        self, execution_id: str, state: SegmentState, reason: str, detail: str | None, target: int | None = None
    ) -> None:
        """End all open segments, of one target or at all."""
        change = update(Segment).where(Segment.execution_id == execution_id, Segment.state == SegmentState.OPEN.value)
        if target is not None:
            change = change.where(Segment.target == target)
        await self._session.execute(change.values(state=state.value, end_reason=reason, end_detail=detail))

    async def close_targets(self, execution_id: str, reason: str) -> None:
        """End all targets that have not ended."""
        change = update(ExecutionTarget).where(
            ExecutionTarget.execution_id == execution_id, ExecutionTarget.end_reason.is_(None)
        )
        await self._session.execute(change.values(end_reason=reason))

    async def missing(self, execution_id: str, states: Collection[str] = MISSING) -> int:
        """How many segments of an ended execution were not got to their end."""
        query = select(func.count()).where(Segment.execution_id == execution_id, Segment.state.in_(states))
        return await self._session.scalar(query) or 0

    async def span(self, execution_id: str) -> tuple[datetime | None, datetime | None]:
        """Earliest and latest time that segments are about, or have seen."""
        query = select(func.min(func.coalesce(Segment.since, Segment.oldest_at)), func.max(Segment.until)).where(
            Segment.execution_id == execution_id
        )
        newest = select(func.max(ExecutionTarget.newest_at)).where(ExecutionTarget.execution_id == execution_id)
        first, until = (await self._session.execute(query)).one()
        return first, until or await self._session.scalar(newest)

    async def targets(
        self, execution_id: str, end_reason: str | None, page: PageQuery
    ) -> tuple[Sequence[ExecutionTarget], int]:
        """One page of an execution's targets, in their order, and how many there are."""
        wanted: list[ColumnElement[bool]] = [ExecutionTarget.execution_id == execution_id]
        if end_reason is not None:
            wanted.append(ExecutionTarget.end_reason == end_reason)
        return await self._targets(wanted, page)

    async def failed(
        self, execution_id: str, page: PageQuery, *, fine: Collection[str] = ()
    ) -> tuple[Sequence[ExecutionTarget], int]:
        """As `targets`, those that ended otherwise than well (or `fine`) and are no matter of gaps."""
        well = [*SOUND, "stalled", *fine]
        return await self._targets(
            [ExecutionTarget.execution_id == execution_id, ExecutionTarget.end_reason.not_in(well)], page
        )

    async def _targets(
        self, wanted: Sequence[ColumnElement[bool]], page: PageQuery
    ) -> tuple[Sequence[ExecutionTarget], int]:
        total = await self._session.scalar(select(func.count()).select_from(ExecutionTarget).where(*wanted))
        rows = select(ExecutionTarget).where(*wanted).order_by(ExecutionTarget.n)
        return (await self._session.scalars(rows.limit(page.limit).offset(page.offset))).all(), total or 0

    async def last_target(self, execution_id: str) -> int:
        """The highest number of a target, 0 without any."""
        query = select(func.max(ExecutionTarget.n)).where(ExecutionTarget.execution_id == execution_id)
        return await self._session.scalar(query) or 0

    async def to_mend(
        self, execution_id: str, after: int, count: int
    ) -> Sequence[tuple[ExecutionTarget, Sequence[Segment]]]:
        """The next `count` targets after a number that miss something, each with what it misses."""
        lacking = _missing(execution_id).with_only_columns(Segment.target).where(Segment.target > after).distinct()
        numbers = (await self._session.scalars(lacking.order_by(Segment.target).limit(count))).all()
        found = await self._session.scalars(
            _missing(execution_id).where(Segment.target.in_(numbers)).order_by(Segment.n)
        )
        by_target: dict[int, list[Segment]] = {number: [] for number in numbers}
        for segment in found:
            by_target[segment.target].append(segment)
        return [
            (await self._session.get_one(ExecutionTarget, (execution_id, number)), segments)
            for number, segments in by_target.items()
        ]

    async def marks(self, task_id: str, wish: str, targets: Collection[str]) -> Mapping[str, datetime]:
        """How far up these targets are known, by the digest of their label."""
        query = select(Mark).where(Mark.task_id == task_id, Mark.wish == wish, Mark.target.in_(targets))
        return {mark.target: mark.newest_at for mark in await self._session.scalars(query)}

    async def set_mark(self, task_id: str, wish: str, target: str, newest_at: datetime) -> None:
        """Raise a target's mark, or begin it anew for another wish."""
        mark = await self._session.get(Mark, (task_id, target))
        if mark is None:
            self._session.add(Mark(task_id=task_id, target=target, wish=wish, newest_at=newest_at))
        elif mark.wish != wish or mark.newest_at < newest_at:
            mark.wish, mark.newest_at = wish, newest_at


def _missing(execution_id: str) -> Select[Segment]:
    return select(Segment).where(Segment.execution_id == execution_id, Segment.state.in_(MISSING))
