"""What the pool reads and writes for all who ask at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, and_, case, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, load_only

from xget_db.locks import is_postgres, locked
from xget_proxy.models import ACTIVE, INACTIVE, Binding, Lease, Proxy, Reputation, Rotation
from xget_proxy.repository.leases import within_limits

_MOST_LAPSED: Final = 500
"""Ended in one go: what is left is ended by the next."""
_ORDERING: Final = (Proxy.lent, Proxy.success_rate, Proxy.latency, Proxy.last_used, Proxy.place, Proxy.turn)
_UNREAD: Final = tuple(
    defer(column, raiseload=True)
    for column in (Proxy.latencies, Proxy.exits, Proxy.city, Proxy.isp, Proxy.created_at, Proxy.updated_at)
)
"""Who lends need not read them."""
Known = tuple[Proxy, Reputation | None]
"""A proxy, and what the platform that is asked thinks of it."""


@dataclass(frozen=True)
class Pool:
    """Whose proxies are sought. `country` "" for any; those that rest for `platform` only when `shut_out`."""

    owner: str
    country: str
    avoided: tuple[str, ...]
    platform: str
    shut_out: bool
    only: str = ""
    """This one alone; "" for all."""


class LendingRepository:
    """Proxies that are lent, in one transaction that writes.

    Rows of proxies are locked in the order of their ids, or passed by when another transaction has them: two
    transactions never wait for one another.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, *rows: Lease | Binding | Rotation | Reputation) -> None:
        """Insert rows with the commit."""
        self._session.add_all(rows)

    async def bindings(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Binding]:
        """The proxies of accounts, by owner and account; locked."""
        if not wanted:
            return {}
        query = select(Binding).where(tuple_(Binding.owner_id, Binding.account_id).in_(sorted(wanted)))
        rows = await self._session.scalars(locked(self._session, query.order_by(Binding.owner_id, Binding.account_id)))
        return {(row.owner_id, row.account_id): row for row in rows}

    async def known(self, ids: Collection[str]) -> dict[str, Proxy]:
        """Proxies by id; locked."""
        if not ids:
            return {}
        query = select(Proxy).where(Proxy.id.in_(sorted(ids))).order_by(Proxy.id)
        return {proxy.id: proxy for proxy in await self._session.scalars(locked(self._session, query))}

    async def thought_of(self, ids: Collection[str], platforms: Collection[str]) -> list[Known]:
        """Proxies, locked, with what each of the platforms thinks of them."""
        if not ids:
            return []
        thinks = and_(Reputation.proxy_id == Proxy.id, Reputation.platform.in_(sorted(platforms)))
        query = select(Proxy, Reputation).options(*_UNREAD).outerjoin(Reputation, thinks)
        query = query.where(Proxy.id.in_(sorted(ids))).order_by(Proxy.id)
        rows = await self._session.execute(query.with_for_update(of=Proxy, key_share=True))
        return [(row[0], row[1]) for row in rows]

    async def reputations(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Reputation]:
        """What platforms think of proxies, by proxy and platform."""
        if not wanted:
            return {}
        pair = tuple_(Reputation.proxy_id, Reputation.platform)
        rows = await self._session.scalars(select(Reputation).where(pair.in_(sorted(wanted))))
        return {(row.proxy_id, row.platform): row for row in rows}

    async def best(self, pool: Pool, now: datetime, limit: int, without: Collection[str] = ()) -> list[Known]:
        """The best of a pool that have room, best first: proven ones, then those on trial."""
        found: list[Known] = []
        for state in (Proxy.status == ACTIVE, and_(Proxy.status == INACTIVE, Proxy.pause_until <= now)):
            if len(found) < limit:
                query = _of(pool, now, [*without]).where(state).order_by(Proxy.place, Proxy.turn, Proxy.id)
                found += await self._locked(query.limit(limit - len(found)), wait=not found)
        return found

    async def _locked(self, query: Select[Proxy, Reputation], *, wait: bool) -> list[Known]:
        """Rows that nobody else has at this moment, or else the first all the same."""
        lock = query.with_for_update(of=Proxy, key_share=True, skip_locked=True)
        rows: list[Known] = [(row[0], row[1]) for row in await self._session.execute(lock)]
        if rows or not wait or not is_postgres(self._session):
            return rows
        lock = query.limit(1).with_for_update(of=Proxy, key_share=True)
        return [(row[0], row[1]) for row in await self._session.execute(lock)]

    async def lapse(self, now: datetime) -> int:
        """End leases whose time is over; how many."""
        over = (Lease.ended_at.is_(None), Lease.expires_at <= now)
        ids = await self._session.scalars(select(Lease.id).where(*over).order_by(Lease.expires_at).limit(_MOST_LAPSED))
        found = list(ids)
        if found:
            await self.end(found, now)
        return len(found)

    async def end(self, lease_ids: Collection[str], now: datetime) -> None:
        """End leases, at the latest when their time was over; those that have ended, and those that nobody knows,
        change nothing."""
        wanted = Lease.id.in_(sorted(lease_ids)), Lease.ended_at.is_(None)
        ids = set(await self._session.scalars(select(Lease.proxy_id).where(*wanted)))
        if not ids:
            return
        query = select(Proxy).options(load_only(*_ORDERING)).where(Proxy.id.in_(sorted(ids))).order_by(Proxy.id)
        proxies = {proxy.id: proxy for proxy in await self._session.scalars(locked(self._session, query))}
        at = case((Lease.expires_at < now, Lease.expires_at), else_=now)
        ended = await self._session.execute(
            update(Lease).where(*wanted).values(ended_at=at).returning(Lease.proxy_id),
            execution_options={"synchronize_session": False},
        )
        for proxy_id, count in Counter(ended.scalars()).items():
            if proxy_id in proxies:
                proxies[proxy_id].lent = max(0, proxies[proxy_id].lent - count)

    async def count_anew(self) -> int:
        """Correct the number of leases of proxies where it is another than that of the rows; how many were.

        Only an older XGet that ran beside this one leaves such numbers.
        """
        counted = select(func.count()).where(Lease.proxy_id == Proxy.id, Lease.ended_at.is_(None))
        differs = select(Proxy.id).where(Proxy.lent != counted.correlate(Proxy).scalar_subquery()).limit(_MOST_LAPSED)
        found = await self.known(set(await self._session.scalars(differs)))
        if found:
            query = select(Lease.proxy_id, func.count()).where(Lease.proxy_id.in_(sorted(found)))
            rows = await self._session.execute(query.where(Lease.ended_at.is_(None)).group_by(Lease.proxy_id))
            counts = {row[0]: row[1] for row in rows}
            for proxy in found.values():
                proxy.lent = counts.get(proxy.id, 0)
        return len(found)

    async def leases(self, ids: Collection[str]) -> dict[str, Lease]:
        """Leases by id."""
        rows = await self._session.scalars(select(Lease).where(Lease.id.in_(sorted(ids)))) if ids else ()
        return {lease.id: lease for lease in rows}

    async def forget(self, proxy_ids: Iterable[str]) -> None:
        """What platforms think of exits that are others now."""
        if ids := sorted(proxy_ids):
            await self._session.execute(delete(Reputation).where(Reputation.proxy_id.in_(ids)))

    async def of_proxy(self, proxy_id: str) -> list[Reputation]:
        """What platforms think of a proxy, by platform."""
        query = select(Reputation).where(Reputation.proxy_id == proxy_id).order_by(Reputation.platform)
        return list(await self._session.scalars(query))


def _of(pool: Pool, now: datetime, without: Sequence[str]) -> Select[Proxy, Reputation]:
    thinks = and_(Reputation.proxy_id == Proxy.id, Reputation.platform == pool.platform)
    query = select(Proxy, Reputation).options(*_UNREAD).outerjoin(Reputation, thinks)
    query = query.where(Proxy.owner_id == pool.owner, within_limits(Proxy.lent, now))
    if pool.only:
        query = query.where(Proxy.id == pool.only)
    if pool.country:
        query = query.where(Proxy.country == pool.country)
    if not pool.shut_out:
        query = query.where(or_(Reputation.rests_until.is_(None), Reputation.rests_until <= now))
    left_out = sorted({*pool.avoided, *without})
    return query.where(Proxy.id.not_in(left_out)) if left_out else query
