"""SQL of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, UnaryExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from xget_db.ordering import in_bytes
from xget_kernel.pages import PageQuery
from xget_scraper.models import Task

SORTS: Final[Mapping[str, tuple[UnaryExpression[Any], ...]]] = {
    "-created_at": (Task.created_at.desc(), Task.id.desc()),
    "created_at": (Task.created_at.asc(), Task.id.asc()),
    "-updated_at": (Task.updated_at.desc(), Task.id.desc()),
    "updated_at": (Task.updated_at.asc(), Task.id.asc()),
    "priority": (Task.priority.asc(), Task.created_at.asc(), Task.id.asc()),
    "-priority": (Task.priority.desc(), Task.created_at.asc(), Task.id.asc()),
    "task_name": (in_bytes(Task.task_name).asc(), Task.id.asc()),
    "-task_name": (in_bytes(Task.task_name).desc(), Task.id.desc()),
}
"""What lists of tasks can be sorted by; `-` is descending."""

FILTERS: Final = frozenset({"user_id", "status", "task_type", "platform", "priority"})


class TaskRepository:
    """Rows of tasks; `owner` None means all owners."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, task: Task) -> None:
        self._session.add(task)

    async def get(self, task_id: str, owner: str | None) -> Task | None:
        """The task, if it is the owner's."""
        return (await self._session.scalars(select(Task).where(*_mine(task_id, owner)))).one_or_none()

    async def lock(self, task_id: str, owner: str | None = None) -> Task | None:
        """The task, locked until the transaction's end."""
        query = select(Task).where(*_mine(task_id, owner)).with_for_update(key_share=True)
        return (await self._session.scalars(query)).one_or_none()

    async def lock_state(self, task_id: str) -> Task | None:
        """As `lock`, without the parameters: of 10,000 names they would be read for each of them."""
        query = select(Task).where(Task.id == task_id).options(defer(Task.parameters, raiseload=True))
        return (await self._session.scalars(query.with_for_update(key_share=True))).one_or_none()

    async def list(
        self, owner: str | None, filters: Mapping[str, Any], sort: str, page: PageQuery
    ) -> tuple[Sequence[Task], int]:
        """One page of the tasks that meet all filters (None = any value), and how many there are."""
        wanted: list[ColumnElement[bool]] = [] if owner is None else [Task.user_id == owner]
        wanted += [
            getattr(Task, name) == value for name, value in filters.items() if name in FILTERS and value is not None
        ]
        total = await self._session.scalar(select(func.count()).select_from(Task).where(*wanted))
        rows = select(Task).where(*wanted).order_by(*SORTS[sort]).limit(page.limit).offset(page.offset)
        return (await self._session.scalars(rows)).all(), total or 0

    async def delete(self, task: Task) -> None:
        """Delete the task with its executions, pages and certificates."""
        await self._session.delete(task)


def _mine(task_id: str, owner: str | None) -> list[ColumnElement[bool]]:
    return [Task.id == task_id] if owner is None else [Task.id == task_id, Task.user_id == owner]
