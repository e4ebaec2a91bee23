"""Who may use whose pool, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import in_turn
from xget_db.types import UtcDateTime
from xget_kernel.pages import PageQuery


@dataclass(frozen=True, order=True)
class Lent:
    """What somebody may use: all of an owner's, or one (`subject_id`)."""

    owner_id: str
    subject_id: str = ""


class GrantRepository:
    """Rows of a table `pool_grants` within one transaction."""

    def __init__(self, session: AsyncSession, table: Table) -> None:
        self._session = session
        self._table = table

    async def add(self, grant: dict[str, Any], now: datetime) -> Row[Any] | None:
        """Add a grant; None when the same is in force already."""
        await in_turn(self._session, self._table.name, grant["owner_id"])
        same = [self._table.c[name] == grant[name] for name in ("owner_id", "grantee_id", "platform", "subject_id")]
        found = await self._session.scalar(select(func.count()).where(*same, self._live(now)))
        if found:
            return None
        await self._session.execute(insert(self._table).values(**grant))
        return await self.get(grant["id"], None)

    async def get(self, grant_id: str, party: str | None) -> Row[Any] | None:
        """A grant that `party` gave or was given (None: anybody's)."""
        query = select(self._table).where(self._table.c.id == grant_id, *self._of(party))
        return (await self._session.execute(query)).one_or_none()

    async def page(
        self, party: str | None, page: PageQuery, live_at: datetime | None
    ) -> tuple[Sequence[Row[Any]], int]:  # fmt: skip
        """One page of what `party` gave or has, newest first, and how many; with `live_at` those in force then."""
        query = select(self._table).where(*self._of(party))
        if live_at is not None:
            query = query.where(self._live(live_at))
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        newest = query.order_by(self._table.c.id.desc()).offset(page.offset).limit(page.limit)
        return (await self._session.execute(newest)).all(), total or 0

    async def revoke(self, grant_id: str, by: str, now: datetime) -> None:
        """End a grant; one that has ended stays as it was."""
        columns = self._table.c
        ended = update(self._table).where(columns.id == grant_id, columns.revoked_at.is_(None))
        await self._session.execute(ended.values(revoked_at=now, revoked_by=by))

    async def lent(self, grantee: str, platform: str, now: datetime) -> list[Lent]:
        """What somebody may use of others now, whole pools and single ones, by owner."""
        values = lent_values(grantee, platform, now)
        return sorted(Lent(*row) for row in await self._session.execute(lent_to(self._table), values))

    def _live(self, now: datetime) -> ColumnElement[bool]:
        return _live(self._table, now)

    def _of(self, party: str | None) -> list[ColumnElement[bool]]:
        columns = self._table.c
        return [] if party is None else [or_(columns.owner_id == party, columns.grantee_id == party)]


def lent_to(table: Table) -> Select[str, str]:
    """Owner and subject of what somebody may use of others; execute it with `lent_values`."""
    platform = or_(table.c.platform == "", table.c.platform == bindparam("platform", type_=String))
    mine = table.c.grantee_id == bindparam("grantee", type_=String)
    live = _live(table, bindparam("now", type_=UtcDateTime))
    return select(table.c.owner_id, table.c.subject_id).where(mine, platform, live).distinct()


def lent_values(grantee: str, platform: str, now: datetime) -> dict[str, object]:
    """Parameters of `lent_to`."""
    return {"grantee": grantee, "platform": platform, "now": now}


def grantees_of(table: Table, owner: str, platform: str, now: datetime) -> Select[str]:
    """Who may use something of an owner now."""
    mine = (table.c.owner_id == owner, table.c.platform.in_(("", platform)), _live(table, now))
    return select(table.c.grantee_id).where(*mine).distinct()


def _live(table: Table, now: Any) -> ColumnElement[bool]:
    return and_(table.c.revoked_at.is_(None), or_(table.c.expires_at.is_(None), table.c.expires_at > now))
