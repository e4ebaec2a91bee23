"""Rows of signing keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import SigningKey
from xget_db.locks import in_turn


class KeyRepository:
    """Signing keys, newest first."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self) -> Sequence[SigningKey]:
        """Every key, the one that signs last first."""
        found = await self._session.scalars(select(SigningKey).order_by(SigningKey.signs_from.desc(), SigningKey.id))
        return found.all()

    async def signing(self, now: datetime) -> SigningKey | None:
        """The key that signs now."""
        query = select(SigningKey).where(SigningKey.signs_from <= now).order_by(SigningKey.signs_from.desc()).limit(1)
        return await self._session.scalar(query)

    async def in_turn(self) -> None:
        """Let others who would make a key wait until the end of this transaction."""
        await in_turn(self._session, "signing_keys")

    def add(self, key: SigningKey) -> None:
        self._session.add(key)

    async def delete(self, key_ids: Sequence[str]) -> None:
        await self._session.execute(delete(SigningKey).where(SigningKey.id.in_(key_ids)))
