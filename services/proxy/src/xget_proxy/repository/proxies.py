"""Proxies: who has which, and the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Select, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from xget_contracts.events import PROXY_EVENTS, ProxyChanged
from xget_db.audit import By, Trail, prune
from xget_db.grants import GrantRepository, Lent
from xget_db.locks import in_turn, locked
from xget_db.outbox import Outbox
from xget_db.planning import grown
from xget_kernel.clock import Clock, SystemClock
from xget_kernel.pages import PageQuery
from xget_proxy.errors import ProxyExists
from xget_proxy.models import (
    ACTIVE,
    AUDIT,
    CHECKING,
    GRANTS,
    INACTIVE,
    OF_LOAD,
    OUTBOX,
    STEPS,
    UNMEASURED_LATENCY,
    UNMEASURED_RATE,
    Audit,
    Proxy,
)
from xget_proxy.repository.leases import LeaseRepository, live, within_limits
from xget_proxy.repository.lending import LendingRepository
from xget_proxy.repository.providers import ProviderRepository
from xget_proxy.schemas import ProxyFilter

SOURCE = "proxy"
POOL = By("pool")
"""Who does what nobody asked for by a request."""
_BATCH = 200
_SOME = 100
"""So many new ones may make another table of it."""


class ProxyRepository:
    """Proxies within one transaction. `owner` None sees all rows."""

    def __init__(
        self, session: AsyncSession, topic: str = PROXY_EVENTS, *, by: By = POOL, clock: Clock | None = None
    ) -> None:  # fmt: skip
        self._session = session
        self.trail = Trail(session, Audit, clock or SystemClock(), by)
        self.grants = GrantRepository(session, GRANTS)
        self._topic = topic
        self.leases = LeaseRepository(session)
        self.lending = LendingRepository(session)
        self.providers = ProviderRepository(session)

    def announce(self, fact: ProxyChanged | None) -> None:
        """Say with the commit what happened, if anything did."""
        if fact is not None:
            outbox = Outbox(self._session, OUTBOX, source=SOURCE)
            outbox.emit(self._topic, fact.subject_id, fact)

    async def prune_trail(self, before: datetime, most: int) -> int:
        """Remove up to `most` older rows of the audit trail; how many were."""
        return await prune(self._session, AUDIT, "at", before, most)

    async def get(self, proxy_id: str, owner: str | None) -> Proxy | None:
        """The proxy, unless it is missing or somebody else's; locked in a transaction that writes."""
        query = _owned(select(Proxy).where(Proxy.id == proxy_id), owner)
        return (await self._session.scalars(locked(self._session, query))).one_or_none()

    async def set_aside(self, error: str) -> list[Proxy]:
        """Inactive proxies with this error, of all owners; locked in a transaction that writes."""
        query = select(Proxy).where(Proxy.status == INACTIVE, Proxy.error_msg == error).order_by(Proxy.id)
        return list(await self._session.scalars(locked(self._session, query)))

    async def by_status(self) -> dict[tuple[str, ...], float]:
        """How many proxies all owners have, by status."""
        rows = await self._session.execute(select(Proxy.status, func.count()).group_by(Proxy.status))
        return {(status,): count for status, count in rows}

    async def by_ids(self, owner: str | None, ids: Sequence[str]) -> list[Proxy]:
        """The owner's proxies of these ids, by id; locked in a transaction that writes."""
        query = _owned(select(Proxy).where(Proxy.id.in_(list(ids))), owner).order_by(Proxy.id)
        return list(await self._session.scalars(locked(self._session, query)))

    async def page(
        self, owner: str | None, wanted: ProxyFilter, page: PageQuery, now: datetime
    ) -> tuple[list[Proxy], int]:
        """One page of the proxies that fit, newest first, and how many fit in all."""
        query = _filtered(_owned(select(Proxy), owner), wanted, now)
        return await self._sliced(query, (Proxy.created_at.desc(), Proxy.id), page)

    async def available(
        self, owner: str | None, wanted: ProxyFilter, page: PageQuery, now: datetime
    ) -> tuple[list[Proxy], int]:
        """One page of the usable proxies that fit, best first, and how many fit in all."""
        query = _filtered(_owned(select(Proxy), owner), wanted, now).where(_usable(now), within_limits(live(now), now))
        return await self._sliced(query, _best_first(live(now)), page)

    async def resting(
        self, pools: Sequence[Lent], country: str, now: datetime
    ) -> tuple[int, int, datetime | None]:  # fmt: skip
        """How many proxies are in these pools (in a country), how many of them work (and have no room), and when the
        first pause of one ends."""
        works = func.coalesce(func.sum(case((_usable(now), 1), else_=0)), 0)
        query = select(func.count(), works, func.min(Proxy.pause_until)).where(within(pools))
        if country:
            query = query.where(Proxy.country == country)
        count, working, frees_at = (await self._session.execute(query)).one()
        return count, int(working), frees_at

    async def longest_unchecked(self, owner: str | None, limit: int) -> tuple[list[Proxy], int]:
        """Those whose last check is longest ago, and how many proxies there are in all."""
        order = (Proxy.last_check.asc().nulls_first(), Proxy.id)
        return await self._sliced(_owned(select(Proxy), owner), order, PageQuery(1, limit))

    async def due(self, now: datetime, limit: int) -> list[Proxy]:
        """Proxies of everybody whose pause is over or whose check is due, and which nobody else takes now."""
        query = select(Proxy).where(_usable(now), or_(Proxy.check_at.is_(None), Proxy.check_at <= now))
        query = query.order_by(Proxy.check_at.asc().nulls_first(), Proxy.id).limit(limit)
        return list(await self._session.scalars(query.with_for_update(key_share=True, skip_locked=True)))

    async def same(self, owner: str, places: Sequence[tuple[str, str, int, str]]) -> list[Proxy]:
        """The owner's proxies at these (type, ip, port, username); those that are free stay so while this writes."""
        await in_turn(self._session, "proxies", owner)
        found: list[Proxy] = []
        place = tuple_(Proxy.type, Proxy.ip, Proxy.port, Proxy.username)
        for start in range(0, len(places), _BATCH):
            query = select(Proxy).where(Proxy.owner_id == owner, place.in_(places[start : start + _BATCH]))
            found += await self._session.scalars(query)
        return found

    async def add(self, proxies: Sequence[Proxy]) -> None:
        """Insert proxies. Raises ProxyExists (409) when one is there already."""
        self._session.add_all(proxies)
        await self.save()
        if len(proxies) >= _SOME:
            await grown(self._session, Proxy.__table__)

    async def save(self) -> None:
        """Write what was changed. Raises ProxyExists (409) when the new place is taken."""
        try:
            await self._session.flush()
        except IntegrityError as error:
            raise ProxyExists() from error

    async def delete(self, proxy: Proxy, now: datetime) -> None:
        """Remove a proxy."""
        await self.leases.forget_proxy(proxy.id, now)
        await self._session.delete(proxy)

    async def _sliced(self, query: Select[Proxy], order: Sequence[Any], page: PageQuery) -> tuple[list[Proxy], int]:
        total = await self._session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await self._session.scalars(query.order_by(*order).offset(page.offset).limit(page.limit))
        return list(rows), total or 0


def within(pools: Sequence[Lent]) -> ColumnElement[bool]:
    """Proxies of these owners, or single ones of theirs."""
    whole = [pool.owner_id for pool in pools if not pool.subject_id]
    single = [and_(Proxy.owner_id == pool.owner_id, Proxy.id == pool.subject_id) for pool in pools if pool.subject_id]
    return or_(Proxy.owner_id.in_(whole), *single)


def _owned(query: Select[Proxy], owner: str | None) -> Select[Proxy]:
    return query if owner is None else query.where(Proxy.owner_id == owner)


def _filtered(query: Select[Proxy], wanted: ProxyFilter, now: datetime) -> Select[Proxy]:
    if wanted.type is not None:
        query = query.where(Proxy.type == wanted.type)
    if wanted.country is not None:
        query = query.where(Proxy.country == wanted.country)
    if wanted.ip is not None:
        query = query.where(Proxy.ip == wanted.ip)
    if wanted.port is not None:
        query = query.where(Proxy.port == wanted.port)
    return query if wanted.status is None else query.where(_in_state(wanted.status, now))


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """CHECKING is not stored: it is an INACTIVE proxy whose pause is over."""
    over = func.coalesce(Proxy.pause_until <= now, False)
    if state == ACTIVE:
        return Proxy.status == ACTIVE
    return and_(Proxy.status == INACTIVE, over if state == CHECKING else ~over)


def _usable(now: datetime) -> ColumnElement[bool]:
    return or_(_in_state(ACTIVE, now), _in_state(CHECKING, now))


def _best_first(load: ColumnElement[int] | int = 0) -> Sequence[Any]:
    """Proven ones before those on trial, then by success rate over latency and load, then least recently used."""
    rate = func.coalesce(Proxy.success_rate, UNMEASURED_RATE)
    latency = func.coalesce(Proxy.latency, UNMEASURED_LATENCY)
    score = rate / (1.0 + latency / 1000.0) / (1.0 + load * OF_LOAD)
    return (
        case((Proxy.status == ACTIVE, 0), else_=1),
        func.round(
            cast(score * float(STEPS), Numeric)
        ).desc(),  # as a number, PostgreSQL rounds halves up as SQLite does
        Proxy.last_used.asc().nulls_first(),
        Proxy.id,
    )
