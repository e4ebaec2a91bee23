"""What the pool reads and writes for all who ask at the same moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import is_postgres, locked
from xget_proxy.models import ACTIVE, INACTIVE, Binding, Lease, Proxy, Reputation, Rotation
from xget_proxy.repository.leases import is_open, within_limits

_MOST_LAPSED: Final = 500
"""Ended in one go: what is left is ended by the next."""
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

    async def loads(self, ids: Collection[str], now: datetime) -> dict[str, int]:
        """How many leases of each of these proxies are not over: certain once their rows are locked."""
        if not ids:
            return {}
        query = select(Lease.proxy_id, func.count()).where(Lease.proxy_id.in_(sorted(ids)), is_open(now))
        rows = await self._session.execute(query.group_by(Lease.proxy_id))
        return {**dict.fromkeys(ids, 0), **{row[0]: row[1] for row in rows}}

    async def lapse(self, now: datetime) -> int:
        """End leases whose time is over, and count anew those of their proxies; how many."""
        over = (Lease.ended_at.is_(None), Lease.expires_at <= now)
        query = select(Lease.id, Lease.proxy_id).where(*over).order_by(Lease.expires_at).limit(_MOST_LAPSED)
        rows = [(row[0], row[1]) for row in await self._session.execute(query)]
        if rows:
            proxies = await self.known({proxy_id for _, proxy_id in rows})
            ended = update(Lease).where(Lease.id.in_([lease_id for lease_id, _ in rows]), *over)
            await self._session.execute(ended.values(ended_at=Lease.expires_at))
            await self.count_anew(proxies, now)
        return len(rows)

    async def end(self, lease_ids: Collection[str], now: datetime) -> Sequence[Proxy]:
        """End leases; those that are over, and those that nobody knows, change nothing. Their proxies."""
        wanted = Lease.id.in_(sorted(lease_ids)), Lease.ended_at.is_(None)
        ids = set(await self._session.scalars(select(Lease.proxy_id).where(*wanted)))
        if not ids:
            return []
        proxies = await self.known(ids)
        await self._session.execute(update(Lease).where(*wanted).values(ended_at=now))
        await self.count_anew(proxies, now)
        return list(proxies.values())

    async def count_anew(self, proxies: Mapping[str, Proxy], now: datetime) -> None:
        """Write down how many leases of these proxies are not over."""
        for proxy_id, load in (await self.loads(proxies.keys(), now)).items():
            proxies[proxy_id].lent = load

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
    query = select(Proxy, Reputation).outerjoin(Reputation, thinks)
    query = query.where(Proxy.owner_id == pool.owner, within_limits(Proxy.lent, now))
    if pool.country:
        query = query.where(Proxy.country == pool.country)
    if not pool.shut_out:
        query = query.where(or_(Reputation.rests_until.is_(None), Reputation.rests_until <= now))
    left_out = sorted({*pool.avoided, *without})
    return query.where(Proxy.id.not_in(left_out)) if left_out else query
