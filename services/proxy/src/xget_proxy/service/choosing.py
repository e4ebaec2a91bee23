"""Which proxies those get who ask at the same moment, within one transaction."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from xget_db.grants import Lent
from xget_kernel.ids import new_id
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import NoProxyNow
from xget_proxy.models import ACTIVE, INACTIVE, Binding, Proxy, Reputation, Rotation, place_of, worth
from xget_proxy.repository import Known, Pool, ProxyRepository
from xget_proxy.service.health import full, state
from xget_proxy.service.refusing import UNREADABLE, no_room, none_at_all, resting
from xget_proxy.service.reputations import rests
from xget_proxy.service.vault import Vault
from xget_proxy.service.wishes import Loan, Wish, lease_of, pools_of, session_of

_WINDOW: Final = 16
"""How many more of the best are looked at than are needed: what a platform thinks of them is no part of the order."""
_Rank = tuple[bool, int, int, str]


class Round:
    """The loans of one transaction: rows of all proxies that are looked at are locked."""

    def __init__(self, proxies: ProxyRepository, vault: Vault, now: datetime) -> None:
        self._proxies = proxies
        self._lending = proxies.lending
        self._vault = vault
        self._now = now
        self._most = _WINDOW
        self._bound: dict[tuple[str, str], Binding] = {}
        self._known: dict[str, Proxy] = {}
        self._thinks: dict[tuple[str, str], Reputation] = {}
        self._heaps: dict[Pool, list[tuple[_Rank, Proxy]]] = {}
        self._ended: set[Pool] = set()
        self._lent_by: dict[tuple[str, str], Sequence[Lent]] = {}

    async def lend(self, wishes: Sequence[Wish]) -> list[Loan | NoProxyNow]:
        """A loan or a refusal for each wish, in their order: the first is served first."""
        self._most += len(wishes)
        accounts = {(wish.owner_id, wish.account_id) for wish in wishes if wish.account_id and not wish.proxy_id}
        self._bound = await self._lending.bindings(accounts)
        ids = {wish.proxy_id for wish in wishes if wish.proxy_id} | {row.proxy_id for row in self._bound.values()}
        self._learn(await self._lending.thought_of(ids, {wish.platform for wish in wishes}))
        return [await self._one(wish) for wish in wishes]

    async def _one(self, wish: Wish) -> Loan | NoProxyNow:
        while True:
            try:
                proxy, why = await self._choose(wish)
                self._vault.url(proxy)
            except NoProxyNow as none:
                return none
            except SecretUnreadable:
                proxy.status, proxy.pause_until, proxy.error_msg = INACTIVE, None, UNREADABLE
            else:
                return await self._lent(proxy, wish, why)

    async def _choose(self, wish: Wish) -> tuple[Proxy, str]:
        """The wished proxy, the account's, or the best; and why it is not the account's one from before ("" when it
        is). Raises NoProxyNow (404)."""
        if wish.proxy_id:
            return await self._wished(wish), "Was asked for."
        country, why = wish.country, "Is the account's first."
        binding = self._bound.get((wish.owner_id, wish.account_id)) if wish.account_id else None
        if binding is not None:
            known = await self._of(wish, binding.proxy_id)
            why = self._unfit(known, wish)
            if known is not None and not why:
                return known, ""
            country = country or binding.country or ""
        own = Lent(wish.owner_id)
        best = await self._best_of(wish, country, own)
        for lent in () if best else await self._lent_to(wish):
            best = best or await self._best_of(wish, country, lent)
        if best is not None:
            return best, why
        raise await none_at_all(self._proxies, [own, *await self._lent_to(wish)], wish.country, self._now)

    async def _best_of(self, wish: Wish, country: str, lent: Lent) -> Proxy | None:
        for pool in pools_of(wish, country, lent):
            best = await self._best(pool)
            if best is not None:
                return best
        return None

    async def _lent_to(self, wish: Wish) -> Sequence[Lent]:
        """What others lend to who asks, looked up once and only when his own do not do."""
        key = (wish.owner_id, wish.platform)
        if key not in self._lent_by:
            self._lent_by[key] = await self._proxies.grants.lent(wish.owner_id, wish.platform, self._now)
        return self._lent_by[key]

    async def _wished(self, wish: Wish) -> Proxy:
        proxy = await self._of(wish, wish.proxy_id)
        if proxy is None:
            raise NoProxyNow("The proxy that is asked for does not exist: choose another.", any_exists=False)
        if state(proxy, self._now) == INACTIVE:
            raise resting(proxy)
        if reached := full(proxy, self._now):
            raise await no_room(self._proxies, [Lent(proxy.owner_id, proxy.id)], reached, self._now)
        return proxy

    def _unfit(self, proxy: Proxy | None, wish: Wish) -> str:
        """Why an account leaves its proxy; "" when it stays."""
        if proxy is None:
            return "The one before was removed."
        thinks = self._thinks.get((proxy.id, wish.platform))
        if thinks is not None and rests(thinks, self._now):
            return f"{wish.platform} has shut out the one before. {thinks.reason}".strip()
        if proxy.id in wish.avoid:
            return "The one before broke off within a page."
        if state(proxy, self._now) == INACTIVE:
            return f"The one before does not work now. {proxy.error_msg or ''}".strip()
        if wish.country and proxy.country != wish.country:
            return f"Another country was asked for ({wish.country})."
        return full(proxy, self._now)

    async def _best(self, pool: Pool) -> Proxy | None:
        """The best of a pool that has room, whose row is locked."""
        heap = self._heaps.setdefault(pool, [])
        while True:
            while heap:
                rank, proxy = heapq.heappop(heap)
                if state(proxy, self._now) == INACTIVE or full(proxy, self._now):
                    continue
                now = self._rank(proxy, pool.platform)
                heapq.heappush(heap, (now, proxy))
                if now == rank:
                    return proxy
            if pool in self._ended:
                return None
            await self._fill(pool)

    async def _fill(self, pool: Pool) -> None:
        looked_at = [proxy.id for proxy in self._known.values() if full(proxy, self._now)]
        found = await self._lending.best(pool, self._now, self._most, looked_at)
        if not found:
            self._ended.add(pool)
        self._learn(found)
        self._heaps[pool] += [(self._rank(proxy, pool.platform), proxy) for proxy, _ in found]
        heapq.heapify(self._heaps[pool])

    def _learn(self, found: Sequence[Known]) -> None:
        for proxy, thinks in found:
            self._known[proxy.id] = proxy
            if thinks is not None:
                self._thinks[proxy.id, thinks.platform] = thinks

    def _rank(self, proxy: Proxy, platform: str) -> _Rank:
        """Proven ones before those on trial, then by success rate over latency and load, then by the last use."""
        thinks = self._thinks.get((proxy.id, platform))
        value = worth(proxy.success_rate, proxy.latency, proxy.lent)
        turn = int(proxy.last_used.timestamp() * 1_000_000) if proxy.last_used else 0
        place = place_of(value * (thinks.success_rate if thinks else 1.0))
        return proxy.status != ACTIVE, place, turn, proxy.id

    async def _of(self, wish: Wish, proxy_id: str) -> Proxy | None:
        """A proxy that who asks may use."""
        proxy = self._known.get(proxy_id)
        if proxy is None or proxy.owner_id == wish.owner_id:
            return proxy
        lent = await self._lent_to(wish)
        return proxy if {Lent(proxy.owner_id), Lent(proxy.owner_id, proxy.id)} & {*lent} else None

    async def _lent(self, proxy: Proxy, wish: Wish, why: str) -> Loan:
        """Count a use, write the lease down and, when `why` says so, that the account came to another proxy."""
        lease = lease_of(wish, proxy, self._now)
        self._lending.add(lease)
        bound = await self._bind(proxy, wish, why) if wish.account_id else None
        return Loan(proxy, lease, session_of(proxy, bound))

    async def _bind(self, proxy: Proxy, wish: Wish, why: str) -> Binding:
        key = (wish.owner_id, wish.account_id)
        if key not in self._bound:  # it was lent a proxy that was asked for
            self._bound |= await self._lending.bindings([key])
        binding = self._bound.get(key)
        before = binding.proxy_id if binding else None
        if binding is not None and before == proxy.id:
            return binding
        owned = {"owner_id": wish.owner_id, "account_id": wish.account_id, "proxy_id": proxy.id}
        if binding is None:
            binding = self._bound[key] = Binding(**owned)
            self._lending.add(binding)
        binding.proxy_id, binding.country, binding.since, binding.session = proxy.id, proxy.country, self._now, ""
        rotation = Rotation(id=new_id(), **owned, from_proxy_id=before, at=self._now, reason=why[:300])
        self._lending.add(rotation)
        return binding
