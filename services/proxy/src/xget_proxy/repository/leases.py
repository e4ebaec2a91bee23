"""Who uses which proxy: leases, and the proxy of each account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_kernel.pages import PageQuery
from xget_proxy.models import Binding, Lease, Proxy, Reputation, Rotation


def is_open(now: datetime) -> ColumnElement[bool]:
    """Whether a lease is not over."""
    return and_(Lease.ended_at.is_(None), Lease.expires_at > now)


def live(now: datetime) -> ColumnElement[int]:
    """How many leases of a proxy (of the query around this) are not over."""
    over = and_(Lease.proxy_id == Proxy.id, is_open(now))
    return select(func.count()).select_from(Lease).where(over).correlate(Proxy).scalar_subquery()


def within_limits(load: Any, now: datetime) -> ColumnElement[bool]:
    """Whether a proxy with so many leases may be lent once more: it bears more at once, and has budget left today."""
    unused = or_(Proxy.used_on.is_(None), Proxy.used_on != now.date().isoformat())
    return and_(
        or_(Proxy.max_concurrency.is_(None), load < Proxy.max_concurrency),
        or_(Proxy.daily_budget.is_(None), Proxy.used_today < Proxy.daily_budget, and_(unused, Proxy.daily_budget > 0)),
    )


class LeaseRepository:
    """Leases, bindings and rotations within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def first_end(self, proxies: ColumnElement[bool], now: datetime) -> datetime | None:
        """When the first lease of these proxies ends by itself."""
        query = select(func.min(Lease.expires_at)).join(Proxy, Proxy.id == Lease.proxy_id).where(proxies, is_open(now))
        ends: datetime | None = await self._session.scalar(query)
        return ends

    async def accounts_of(self, proxy_id: str) -> int:
        """How many accounts use a proxy."""
        return await self._session.scalar(select(func.count()).where(Binding.proxy_id == proxy_id)) or 0

    async def rotations(self, proxy_id: str, page: PageQuery) -> tuple[Sequence[Rotation], int]:
        """Accounts that came to a proxy or left it, newest first."""
        query = select(Rotation).where(or_(Rotation.proxy_id == proxy_id, Rotation.from_proxy_id == proxy_id))
        return await self._sliced(query, (Rotation.at.desc(), Rotation.id.desc()), page)

    async def of_proxy(self, proxy_id: str, page: PageQuery) -> tuple[Sequence[Lease], int]:
        """Who leased a proxy, newest first."""
        return await self._sliced(select(Lease).where(Lease.proxy_id == proxy_id), (Lease.at.desc(), Lease.id), page)

    async def forget_proxy(self, proxy_id: str, now: datetime) -> None:
        """A proxy goes: nobody uses it any more. Who did stays known."""
        await self._session.execute(delete(Binding).where(Binding.proxy_id == proxy_id))
        await self._session.execute(delete(Reputation).where(Reputation.proxy_id == proxy_id))
        over = update(Lease).where(Lease.proxy_id == proxy_id, Lease.ended_at.is_(None)).values(ended_at=now)
        await self._session.execute(over)

    async def prune(self, before: datetime) -> int:
        """Remove leases that began before; how many."""
        found = await self._session.execute(delete(Lease).where(Lease.at < before))
        return int(getattr(found, "rowcount", 0))

    async def _sliced(self, query: Select[Any], order: Sequence[Any], page: PageQuery) -> tuple[Sequence[Any], int]:
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await self._session.scalars(query.order_by(*order).offset(page.offset).limit(page.limit))
        return list(rows), total or 0
