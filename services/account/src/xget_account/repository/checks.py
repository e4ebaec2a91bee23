"""Which account is to be looked at, and when it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_account.models import HEALTHY, NEW, Account, Check
from xget_db.locks import in_turn
from xget_kernel.ids import new_id

HOUR: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=30)


class CheckRepository:
    """Looks at accounts within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def due(self, now: datetime, *, idle: timedelta, per_hour: int) -> Account | None:
        """An account to look at now, noted as looked at; None when none is due or the hour's looks are used up.

        Due is a healthy account of X that nobody works with, used last before `idle`; or one that was in use, has come
        back, and was not tried since.
        """
        await in_turn(self._session, "account_checks", "all")
        if not await self.any_due(now, idle=idle, per_hour=per_hour):
            return None
        query = select(Account).where(*_due(now, idle)).order_by(Account.last_used.asc().nulls_last(), Account.id)
        account = (await self._session.scalars(query.limit(1))).first()
        if account is not None:
            await self._session.execute(delete(Check).where(Check.at < now - KEPT))
            self._session.add(Check(id=new_id(), account_id=account.id, at=now))
        return account

    async def any_due(self, now: datetime, *, idle: timedelta, per_hour: int) -> bool:
        """Whether `due` would find one, told without writing."""
        count = select(func.count()).select_from(Check).where(Check.at > now - HOUR)
        if (await self._session.scalar(count) or 0) >= per_hour:
            return False
        return await self._session.scalar(select(Account.id).where(*_due(now, idle)).limit(1)) is not None


def _due(now: datetime, idle: timedelta) -> tuple[ColumnElement[bool], ...]:
    unused = func.coalesce(Account.last_used, Account.created_at) < now - idle
    back = and_(Account.status == NEW, Account.last_used.is_not(None))
    looked = exists().where(Check.account_id == Account.id, Check.at > now - idle)
    since = exists().where(Check.account_id == Account.id, Check.at >= Account.updated_at)
    return (
        Account.platform == "x",
        Account.active.is_(True),
        Account.status.in_(HEALTHY),
        Account.cookies.is_not(None),
        or_(Account.rest_until.is_(None), Account.rest_until <= now),
        or_(Account.lease_expires_at.is_(None), Account.lease_expires_at <= now),
        or_(and_(unused, ~looked), and_(back, ~since)),
    )
