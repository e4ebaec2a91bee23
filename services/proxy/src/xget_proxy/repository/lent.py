"""Proxies that somebody may use though they are another's, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.pages import PageQuery
from xget_proxy.models import GRANTS, Proxy


class LentRepository:
    """Lent proxies within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, grantee: str, page: PageQuery, now: datetime) -> tuple[Sequence[Proxy], int]:
        """One page of the proxies that others lend to somebody now, by owner, and how many there are."""
        wanted = select(Proxy).where(exists().where(_lends(grantee, now)))
        total = await self._session.scalar(select(func.count()).select_from(wanted.subquery()))
        rows = wanted.order_by(Proxy.owner_id, Proxy.id).offset(page.offset).limit(page.limit)
        return list(await self._session.scalars(rows)), total or 0

    async def platforms(self, grantee: str, proxies: Sequence[Proxy], now: datetime) -> dict[str, set[str]]:
        """For which platforms each of these is lent, by id; "" for all."""
        ids = [proxy.id for proxy in proxies]
        rows = select(Proxy.id, GRANTS.c.platform).join(GRANTS, _lends(grantee, now)).where(Proxy.id.in_(ids))
        found: dict[str, set[str]] = {}
        for proxy_id, platform in await self._session.execute(rows):
            found.setdefault(proxy_id, set()).add(platform)
        return found


def _lends(grantee: str, now: datetime) -> ColumnElement[bool]:
    columns = GRANTS.c
    return and_(
        columns.grantee_id == grantee,
        columns.owner_id == Proxy.owner_id,
        columns.subject_id.in_(("", Proxy.id)),
        columns.revoked_at.is_(None),
        or_(columns.expires_at.is_(None), columns.expires_at > now),
    )
