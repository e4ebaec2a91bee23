"""Rows of login attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import Attempts


class AttemptRepository:
    """Attempts by their hashed key."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_or_add(self, key: str, now: datetime) -> Attempts:
        found = await self._session.get(Attempts, key)
        if found is None:
            found = Attempts(key=key, count=0, last_at=now, blocked_until=None)
            self._session.add(found)
        return found

    async def get(self, key: str) -> Attempts | None:
        return await self._session.get(Attempts, key)

    async def forget(self, before: datetime) -> None:
        """Delete what was last tried before a time."""
        await self._session.execute(delete(Attempts).where(Attempts.last_at < before))
