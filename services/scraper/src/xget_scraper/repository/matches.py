"""SQL of which entries have answered an execution. Only while it collects has anybody use for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_scraper.models import Execution, Match, Phase

_OUTLIVED: Final = (Execution.keyed, Execution.phase.in_((Phase.DRAINING.value, Phase.ENDED.value)))


class MatchRepository:
    """Rows of matches: one for each key of an execution."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def known(self, execution_id: str, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that earlier pages of the execution gave as matches."""
        query = select(Match.key).where(Match.execution_id == execution_id, Match.key.in_(keys))
        return frozenset(await self._session.scalars(query))

    async def add(self, execution: Execution, keys: Sequence[str]) -> None:
        """Remember a page's matches. The caller holds the lock of the execution."""
        if keys:
            execution.keyed = True
            await self._session.execute(insert(Match), [{"execution_id": execution.id, "key": key} for key in keys])

    async def needs_tidying(self) -> bool:
        """Whether an execution that collects no more still has matches."""
        return await self._session.scalar(select(Execution.id).where(*_OUTLIVED).limit(1)) is not None

    async def outlived(self) -> Execution | None:
        """An execution that collects no more and still has matches, locked; None when others have them all."""
        query = select(Execution).where(*_OUTLIVED).limit(1)
        return (await self._session.scalars(query.with_for_update(skip_locked=True, key_share=True))).one_or_none()

    async def forget(self, execution: Execution, count: int) -> None:
        """Delete at most `count` of its matches. The caller holds the lock of the execution."""
        mine = Match.execution_id == execution.id
        keys = select(Match.key).where(mine).order_by(Match.key)
        last = await self._session.scalar(keys.offset(count - 1).limit(1))
        piece = delete(Match).where(mine) if last is None else delete(Match).where(mine, Match.key <= last)
        await self._session.execute(piece.execution_options(synchronize_session=False))
        execution.keyed = last is not None and await self._session.scalar(keys.limit(1)) is not None
