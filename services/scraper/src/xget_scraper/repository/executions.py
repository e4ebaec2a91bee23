"""SQL of executions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.pages import PageQuery
from xget_scraper.models import Execution, Phase, Status, Task


class ExecutionRepository:
    """Rows of executions; `owner` None means all owners."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, execution: Execution) -> None:
        self._session.add(execution)

    async def claim(self, worker: str, now: datetime, lease_until: datetime) -> Execution | None:
        """Take the best queued execution (immediate, priority, age) in one statement, whoever else claims."""
        best = (
            select(Execution.id)
            .where(Execution.phase == Phase.QUEUED.value, _is_due(now))
            .order_by(Execution.immediate.desc(), Execution.priority, Execution.queued_at, Execution.id)
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
            .scalar_subquery()
        )
        take = (
            update(Execution)
            .where(Execution.id == best, Execution.phase == Phase.QUEUED.value)
            .values(
                phase=Phase.COLLECTING.value,
                status=Status.RUNNING.value,
                fence=Execution.fence + 1,
                lease_owner=worker,
                lease_until=lease_until,
                started_at=func.coalesce(Execution.started_at, now),
                resume_at=None,
            )
            .returning(Execution)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
        return (await self._session.scalars(take)).one_or_none()

    async def next_due(self) -> datetime | None:
        """When the first of the waiting executions may be claimed."""
        query = select(func.min(Execution.resume_at)).where(Execution.phase == Phase.QUEUED.value)
        return await self._session.scalar(query)

    async def hurry(self, pools: Collection[tuple[str, str]], now: datetime, most: int) -> int:
        """Let those that wait for accounts of these (owner, platform) be claimed now, the best first; how many."""
        query = (
            select(Execution.id, Task.platform, Task.pool_owners)
            .join(Task, Task.id == Execution.task_id)
            .where(Execution.phase == Phase.QUEUED.value, Execution.resume_at > now)
            .where(Execution.waiting_since.is_not(None))
            .order_by(Execution.immediate.desc(), Execution.priority, Execution.queued_at, Execution.id)
        )
        rows = await self._session.execute(query)
        fit = [key for key, platform, owners in rows if any((owner, platform) in pools for owner in owners)][:most]
        for execution in (await self.lock_all(fit)).values():
            if execution.phase == Phase.QUEUED.value and execution.waiting_since is not None:
                execution.resume_at = now
        return len(fit)

    async def prolong(self, worker: str, executions: Collection[str], lease_until: datetime) -> set[str]:
        """Heartbeat: prolong the leases of these executions; the ids of those that are still the worker's."""
        mine = (
            select(Execution.id)
            .where(
                Execution.id.in_(executions),
                Execution.lease_owner == worker,
                Execution.phase == Phase.COLLECTING.value,
            )
            .order_by(Execution.id)
            .with_for_update(key_share=True)
        )
        beat = (
            update(Execution)
            .where(Execution.id.in_(mine))
            .values(lease_until=lease_until)
            .returning(Execution.id)
            .execution_options(synchronize_session=False)
        )
        return set((await self._session.scalars(beat)).all())

    async def needs_sweep(self, now: datetime) -> bool:
        """Whether a lease has run out or an execution waits for storage."""
        silent = and_(Execution.phase == Phase.COLLECTING.value, Execution.lease_until < now)
        wanted = or_(silent, Execution.phase == Phase.DRAINING.value)
        return await self._session.scalar(select(Execution.id).where(wanted).limit(1)) is not None

    async def held(self, execution_id: str, fence: int) -> Execution | None:
        """The execution, locked, if `fence` is still its holder's."""
        query = select(Execution).where(
            Execution.id == execution_id, Execution.fence == fence, Execution.phase == Phase.COLLECTING.value
        )
        return (await self._session.scalars(query.with_for_update(key_share=True))).one_or_none()

    async def lock(self, execution_id: str) -> Execution | None:
        """The execution, locked until the transaction's end."""
        return (await self.lock_all([execution_id])).get(execution_id)

    async def lock_all(self, execution_ids: Collection[str]) -> dict[str, Execution]:
        """Those of the executions that there are by id, locked in one order; before their tasks, as everywhere."""
        query = select(Execution).where(Execution.id.in_(execution_ids)).order_by(Execution.id)
        return {found.id: found for found in await self._session.scalars(query.with_for_update(key_share=True))}

    async def lock_of_task(self, task_id: str) -> None:
        """Lock all executions of a task, before the task itself."""
        query = select(Execution.id).where(Execution.task_id == task_id).order_by(Execution.id)
        (await self._session.scalars(query.with_for_update())).all()

    async def expired(self, now: datetime) -> Sequence[Execution]:
        """Executions whose holder has been silent for too long, locked."""
        query = select(Execution).where(Execution.phase == Phase.COLLECTING.value, Execution.lease_until < now)
        return await self._free(query)

    async def draining(self) -> Sequence[Execution]:
        """Executions that wait for storage, locked."""
        return await self._free(select(Execution).where(Execution.phase == Phase.DRAINING.value))

    async def _free(self, query: Select[Execution]) -> Sequence[Execution]:
        """Those that nobody else works on at this moment, locked."""
        ordered = query.order_by(Execution.task_id, Execution.id)
        return (await self._session.scalars(ordered.with_for_update(skip_locked=True, key_share=True))).all()

    async def get(self, execution_id: str, owner: str | None) -> Execution | None:
        """The execution, if it is the owner's."""
        query = select(Execution).where(Execution.id == execution_id, *_owned(owner))
        return (await self._session.scalars(query)).one_or_none()

    async def list(
        self, owner: str | None, *, task_id: str | None, status: str | None, page: PageQuery
    ) -> tuple[Sequence[Execution], int]:
        """One page of executions, newest first, and how many there are."""
        wanted = _owned(owner)
        if task_id is not None:
            wanted.append(Execution.task_id == task_id)
        if status is not None:
            wanted.append(Execution.status == status)
        total = await self._session.scalar(select(func.count()).select_from(Execution).where(*wanted))
        order = (Execution.queued_at.desc(), Execution.id.desc())
        rows = select(Execution).where(*wanted).order_by(*order).limit(page.limit).offset(page.offset)
        return (await self._session.scalars(rows)).all(), total or 0


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(Execution.resume_at.is_(None), Execution.resume_at <= now)


def _owned(owner: str | None) -> list[ColumnElement[bool]]:
    return [] if owner is None else [Execution.user_id == owner]
