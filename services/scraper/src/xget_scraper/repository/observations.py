"""SQL of posts under observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.upserts import insert
from xget_scraper.models import Execution, ExecutionTarget, Observation, Phase
from xget_scraper.models.curves import LATEST, SHARE, SOONEST

_FREE: Final = Observation.execution_id.is_(None)
_LOOKS: Final = (
    Execution.lookup.is_not(None),
    Execution.phase.in_((Phase.QUEUED.value, Phase.COLLECTING.value)),
)


class Watched(NamedTuple):
    """What is under observation: how many posts, which of them are looked at now or not shown, and the next time."""

    posts: int
    looking: int
    hidden: int
    due: int | None


class ObservationRepository:
    """Rows of observations."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, task_id: str, found: Mapping[str, tuple[int, int]]) -> None:
        """Observe posts, by key with when they were written and are due. One that is known is put off to then."""
        if not found:
            return
        rows = [
            {"task_id": task_id, "key": key, "born": born, "due": due} for key, (born, due) in sorted(found.items())
        ]
        fresh = insert(self._session, Observation)
        await self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=["task_id", "key"], set_={"due": fresh.excluded.due}, where=_FREE
            ),
            rows,
        )

    async def due_tasks(self, now: int, count: int) -> Sequence[str]:
        """Tasks that have posts to see again and no execution that looks already, those that wait longest first."""
        busy = select(Execution.id).where(Execution.task_id == Observation.task_id, *_LOOKS).exists()
        query = select(Observation.task_id).where(_FREE, Observation.due <= now, ~busy).group_by(Observation.task_id)
        return (await self._session.scalars(query.order_by(func.min(Observation.due)).limit(count))).all()

    async def due(self, task_id: str, now: int, count: int) -> Sequence[Observation]:
        """Posts of a task to see again, longest due first, locked."""
        query = select(Observation).where(Observation.task_id == task_id, _FREE, Observation.due <= now)
        ordered = query.order_by(Observation.due, Observation.key).limit(count)
        return (await self._session.scalars(ordered.with_for_update(skip_locked=True))).all()

    async def of_target(self, execution_id: str, target: int) -> Observation | None:
        """The post that a target of an execution looks at, locked; None when it is observed no more."""
        query = select(Observation).where(Observation.execution_id == execution_id, Observation.target == target)
        return (await self._session.scalars(query.with_for_update())).one_or_none()

    async def rename(self, row: Observation, key: str) -> None:
        """The post has a newer version by another key: that one is observed instead."""
        if await self._session.get(Observation, (row.task_id, key)) is not None:
            await self._session.delete(row)
        else:
            row.key = key

    async def end(self, row: Observation) -> None:
        """The post is not seen again."""
        await self._session.delete(row)

    async def release(self, execution_id: str, now: int) -> None:
        """What an execution did not get to is due again after a pause that grows with the post's age."""
        pause = (now - Observation.born) // SHARE
        later = case((pause < SOONEST, SOONEST), (pause > LATEST, LATEST), else_=pause)
        await self._session.execute(
            update(Observation)
            .where(Observation.execution_id == execution_id)
            .values(execution_id=None, target=None, due=now + later)
            .execution_options(synchronize_session=False)
        )

    async def drop(self, task_id: str) -> bool:
        """Observe nothing of a task any more; whether anything was observed."""
        mine = Observation.task_id == task_id
        observed = await self._session.scalar(select(Observation.key).where(mine).limit(1)) is not None
        await self._session.execute(delete(Observation).where(mine))
        return observed

    async def bend(self, task_id: str, ages: Sequence[int], now: int) -> None:
        """Follow another curve: what is due already stays due, what the curve has no age for is observed no more."""
        waiting = and_(Observation.task_id == task_id, _FREE, Observation.due > now)
        due = case(*((Observation.born + age > now, Observation.born + age) for age in ages), else_=0)
        change = update(Observation).where(waiting).values(due=due)
        await self._session.execute(change.execution_options(synchronize_session=False))
        await self._session.execute(
            delete(Observation).where(Observation.task_id == task_id, _FREE, Observation.due == 0)
        )

    async def watched(self, task_id: str) -> Watched:
        """What of a task is under observation."""
        query = select(
            func.count(), func.count(Observation.execution_id), func.count(Observation.hidden), func.min(_waits())
        ).where(Observation.task_id == task_id)
        return Watched(*(await self._session.execute(query)).one())

    async def looks(self, task_id: str) -> Mapping[str, int]:
        """How looks at posts of a task ended: their number by end reason."""
        query = (
            select(ExecutionTarget.end_reason, func.count())
            .join(Execution, Execution.id == ExecutionTarget.execution_id)
            .where(Execution.task_id == task_id, Execution.lookup.is_not(None), ExecutionTarget.end_reason.is_not(None))
            .group_by(ExecutionTarget.end_reason)
        )
        return {str(reason): count for reason, count in await self._session.execute(query)}

    async def looking(self, task_id: str) -> str | None:
        """The execution that looks at posts of a task now."""
        query = select(Execution.id).where(Execution.task_id == task_id, *_LOOKS)
        return await self._session.scalar(query.limit(1))


def _waits() -> ColumnElement[Any]:
    return case((_FREE, Observation.due), else_=None)
