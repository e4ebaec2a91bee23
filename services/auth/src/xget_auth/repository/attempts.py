"""Rows of login attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import Attempts
from xget_db.upserts import insert


class AttemptRepository:
    """Attempts by their hashed key."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_or_add(self, key: str, now: datetime) -> Attempts:
        """The row, locked: attempts at the same time wait here, and each is counted."""
        row = {"key": key, "count": 0, "last_at": now, "blocked_until": None}
        await self._session.execute(insert(self._session, Attempts).values(row).on_conflict_do_nothing())
        return await self._session.get_one(Attempts, key, with_for_update=True)

    async def get(self, key: str) -> Attempts | None:
        """The row, locked."""
        return await self._session.get(Attempts, key, with_for_update=True)

    async def forget(self, before: datetime) -> None:
        """Delete what was last tried before a time; what somebody else has in hand, later."""
        old = select(Attempts.key).where(Attempts.last_at < before).with_for_update(skip_locked=True)
        await self._session.execute(
            delete(Attempts).where(Attempts.key.in_(old)), execution_options={"synchronize_session": False}
        )
