"""SQL of what is measured."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_scraper.models import Execution


class FigureRepository:
    """Counts over all owners."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def executions(self) -> dict[tuple[str, ...], float]:
        """How many executions there are, by phase and status."""
        query = select(Execution.phase, Execution.status, func.count()).group_by(Execution.phase, Execution.status)
        return {(phase, status): count for phase, status, count in await self._session.execute(query)}
