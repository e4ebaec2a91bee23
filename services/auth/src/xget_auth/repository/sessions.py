"""Rows of sessions and their refresh tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import RefreshToken, Session


class SessionRepository:
    """Sessions, and refresh tokens by their hash."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, row: Session | RefreshToken) -> None:
        self._session.add(row)

    async def flush(self) -> None:
        """Write what was added, so that rows may refer to it."""
        await self._session.flush()

    async def token(self, token_hash: str) -> RefreshToken | None:
        """The token, locked: of two who use it at once, the second sees that it was used."""
        return await self._session.get(RefreshToken, token_hash, with_for_update=True)

    async def get(self, session_id: str) -> Session | None:
        """The session, locked."""
        return await self._session.get(Session, session_id, with_for_update={"key_share": True})

    async def forget_ended(self, before: datetime) -> None:
        """Delete sessions that ended before a time, with their tokens."""
        old = select(Session.id).where(Session.expires_at < before).with_for_update(skip_locked=True)
        await self._session.execute(
            delete(Session).where(Session.id.in_(old)), execution_options={"synchronize_session": False}
        )
