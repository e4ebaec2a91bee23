"""Rows of users."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_auth.models import User
from xget_db.locks import in_turn


class UserRepository:
    """Users by id and by name without regard to case."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def in_turn(self) -> None:
        """Let others who would add a user wait until the end of this transaction: who is first decides his role."""
        await in_turn(self._session, "users")

    async def any(self) -> bool:
        """Whether there is a user at all."""
        return bool(await self._session.scalar(select(exists().where(User.id.is_not(None)))))

    async def get(self, user_id: str) -> User | None:
        return await self._session.get(User, user_id)

    async def by_name(self, username: str) -> User | None:
        return await self._session.scalar(select(User).where(User.username_key == username.lower()))

    async def listed(self, user_ids: Collection[str], usernames: Collection[str]) -> Sequence[User]:
        """Those with one of these ids or names, oldest first."""
        names = {name.lower() for name in usernames}
        wanted = or_(User.id.in_(user_ids), User.username_key.in_(names))
        return (await self._session.scalars(select(User).where(wanted).order_by(User.id))).all()

    def add(self, user: User) -> None:
        self._session.add(user)
