"""Accounts that somebody may use though they are another's, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import GRANTS, Account
from xget_account.repository.room import healthy
from xget_kernel.pages import PageQuery


class LendingRepository:
    """Lent accounts within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def accounts(
        self, grantee: str, page: PageQuery, now: datetime, name: str | None = None
    ) -> tuple[Sequence[Account], int]:
        """One page of the accounts that others lend to somebody now, by owner and name, and how many there are.

        With `name` those that are called so, whatever its case.
        """
        columns = GRANTS.c
        lent = exists().where(
            columns.grantee_id == grantee,
            columns.owner_id == Account.owner_id,
            columns.platform.in_(("", Account.platform)),
            columns.subject_id.in_(("", Account.id)),
            columns.revoked_at.is_(None),
            or_(columns.expires_at.is_(None), columns.expires_at > now),
        )
        wanted = select(Account).where(lent)
        if name is not None:
            wanted = wanted.where(Account.username_key == name.casefold())
        total = await self._session.scalar(select(func.count()).select_from(wanted.subquery()))
        named = wanted.order_by(Account.owner_id, Account.platform, Account.username_key, Account.id)
        return list(await self._session.scalars(named.offset(page.offset).limit(page.limit))), total or 0

    async def firsts(self, owner: str, platform: str, account_id: str) -> list[Account]:
        """A healthy account of each platform of an owner, of those that a grant is about."""
        mine = [Account.owner_id == owner]
        mine += [Account.platform == platform] if platform else []
        mine += [Account.id == account_id] if account_id else []
        first = select(func.min(Account.id)).where(and_(healthy(), *mine)).group_by(Account.platform)
        return list(await self._session.scalars(select(Account).where(Account.id.in_(first)).order_by(Account.id)))
