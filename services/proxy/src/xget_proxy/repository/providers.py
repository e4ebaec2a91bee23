"""Providers' lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import locked
from xget_kernel.pages import PageQuery
from xget_proxy.errors import ProviderExists
from xget_proxy.models import Provider, Proxy


class ProviderRepository:
    """Providers within one transaction. `owner` None sees all rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, provider_id: str, owner: str | None) -> Provider | None:
        """The provider, unless it is missing or somebody else's; locked in a transaction that writes."""
        query = _owned(select(Provider).where(Provider.id == provider_id), owner)
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def page(self, owner: str | None, page: PageQuery) -> tuple[list[Provider], int]:
        """One page, newest first, and how many there are."""
        query = _owned(select(Provider), owner)
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        query = query.order_by(Provider.created_at.desc(), Provider.id).offset(page.offset).limit(page.limit)
        return list(await self._session.scalars(query)), total or 0

    async def due(self, now: datetime, limit: int) -> list[Provider]:
        """Those of everybody whose refresh is due and which nobody else takes now."""
        query = select(Provider).where(Provider.next_at <= now).order_by(Provider.next_at).limit(limit)
        return list(await self._session.scalars(query.with_for_update(skip_locked=True)))

    async def proxies(self, provider_id: str) -> Sequence[Proxy]:
        """All proxies that came from a provider, retired ones too."""
        return list(await self._session.scalars(select(Proxy).where(Proxy.provider_id == provider_id)))

    async def add(self, provider: Provider) -> None:
        """Insert a provider. Raises ProviderExists (409) for a name that is taken."""
        self._session.add(provider)
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise ProviderExists() from error

    async def delete(self, provider: Provider) -> None:
        """Remove a provider."""
        await self._session.delete(provider)


def _owned(query: Select[Provider], owner: str | None) -> Select[Provider]:
    return query if owner is None else query.where(Provider.owner_id == owner)
