"""The pool: the wished proxy or the best one, and what requests through it showed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from xget_db.grants import Lent
from xget_kernel.batching import Batcher
from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import HostUnknown, InsideNetwork, ProxyNotFound
from xget_proxy.events import state_changed
from xget_proxy.models import ACTIVE, Proxy
from xget_proxy.repository import AgainRepository, AgainTables, ProxyRepository
from xget_proxy.service.again import Again, may_keep
from xget_proxy.service.choosing import Round
from xget_proxy.service.gate import Gate
from xget_proxy.service.health import paused, state
from xget_proxy.service.metrics import REPORTS
from xget_proxy.service.refusing import UNREADABLE
from xget_proxy.service.reporting import Reporting, Told
from xget_proxy.service.vault import Vault
from xget_proxy.service.wishes import Loan, Wish
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

log = get_logger(__name__)

Work = Callable[[], AbstractAsyncContextManager[ProxyRepository]]

LAPSE_SECONDS: Final = 1.0
"""How often leases are looked for whose time is over."""


@dataclass(frozen=True, repr=False)
class Chosen:
    """A proxy to use. The URL carries its password: the repr does not show it."""

    proxy_id: str
    url: str
    lease_id: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Chosen({self.proxy_id})"


class PoolService:
    """Use cases of the pool. What comes at the same moment is one transaction."""

    def __init__(
        self, work: Work, again: AgainTables, vault: Vault, gate: Gate, clock: Clock, *, metrics: Registry | None = None
    ) -> None:
        self._work = work
        self._again = again
        self._gate = gate
        self._vault = vault
        self._clock = clock
        self._reports = (metrics or Registry()).counter(REPORTS)
        self._acquiring = Batcher(self._acquire, self._unwanted)
        self._reporting = Batcher(self._report)
        self._releasing = Batcher(self._release)
        self._lapsed = float("-inf")
        self._tidying: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give back what nobody waited for."""
        await asyncio.gather(*self._tidying, return_exceptions=True)

    async def take_back(self) -> int:
        """Let proxies be used again that were set aside for want of a key which is there now; how many."""
        found = 0
        async with self._work() as proxies:
            for proxy in await proxies.set_aside(UNREADABLE):
                with suppress(SecretUnreadable):
                    self._vault.url(proxy)
                    proxy.status, proxy.error_msg = ACTIVE, None
                    found += 1
        if found:
            log.warning("proxies_taken_back", count=found)
        return found

    async def acquire(self, wish: Wish) -> Chosen:
        """Lend the wished proxy, the account's, or the best one. Raises NoProxyNow (404)."""
        while True:
            loan = await self._acquiring.ask(wish)
            proxy, lease = loan.proxy, loan.lease
            try:
                address = await self._gate.admit(proxy.ip, internal=proxy.allow_internal)
            except (InsideNetwork, HostUnknown) as error:
                await self._take_back(proxy.id, lease.id, error.detail)
                continue
            except asyncio.CancelledError:
                self._unwanted(loan)
                raise
            return Chosen(proxy.id, self._vault.url(proxy, address, loan.session), lease.id, lease.expires_at)

    async def release(self, lease_id: str) -> None:
        """A lease is over; twice is fine, and so is one that nobody knows."""
        await self._releasing.ask(lease_id)

    async def report(self, told: Told) -> str:
        """Count what a request showed and give the status. Raises ProxyNotFound (404)."""
        return await self._reporting.ask(told)

    async def describe(self, owner_id: str, proxy_id: str) -> Proxy:
        """A proxy of an owner, or one that is lent to him. Raises ProxyNotFound (404)."""
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, None)
            if proxy is None:
                raise ProxyNotFound()
            if proxy.owner_id != owner_id:
                lent = await proxies.grants.lent(owner_id, "", self._clock.now())
                if not {Lent(proxy.owner_id), Lent(proxy.owner_id, proxy.id)} & {*lent}:
                    raise ProxyNotFound()
            return proxy

    def state(self, proxy: Proxy) -> str:
        """The state of a proxy now."""
        return state(proxy, self._clock.now())

    async def _acquire(self, wishes: Sequence[Wish]) -> list[Loan | Exception]:
        now = self._clock.now()
        if self._clock.monotonic() - self._lapsed >= LAPSE_SECONDS:
            self._lapsed = self._clock.monotonic()
            await self._again.do(lambda proxies: _lapse(proxies, now))
        kept: Sequence[Loan | None] = [None] * len(wishes)
        if any(may_keep(wish) for wish in wishes):
            kept = await self._again.do(lambda proxies: Again(self._vault, now).lend(proxies, wishes))
        left = [wish for wish, loan in zip(wishes, kept, strict=True) if loan is None]
        chosen = iter(await self._chosen(left, now) if left else ())
        return [next(chosen) if loan is None else loan for loan in kept]

    async def _chosen(self, wishes: Sequence[Wish], now: datetime) -> list[Loan | Exception]:
        """Proxies that are chosen. What accounts kept is lent already: a fault is told to these alone."""
        try:
            async with self._work() as proxies:
                found = await Round(proxies, self._vault, now).lend(wishes)
        except Exception as error:  # noqa: BLE001 - each of those who ask is told
            return [error] * len(wishes)
        return [*found]  # refusals too after the commit: proxies that were set aside stay so

    async def _report(self, reports: Sequence[Told]) -> list[str | Exception]:
        async with self._work() as proxies:
            states = await Reporting(proxies, self._clock.now()).take(reports)
        for told in reports:
            self._reports.labels(ok=str(told.ok).lower()).inc()
        return states

    async def _release(self, lease_ids: Sequence[str]) -> list[Exception | None]:
        now = self._clock.now()
        await self._again.do(lambda proxies: proxies.end(set(lease_ids), now))
        return [None] * len(lease_ids)

    def _unwanted(self, loan: Loan) -> None:
        """Who asked has gone."""
        task = asyncio.create_task(self.release(loan.lease.id))
        self._tidying.add(task)
        task.add_done_callback(self._tidying.discard)

    async def _take_back(self, proxy_id: str, lease_id: str, reason: str) -> None:
        """Pause a proxy that may not be used, and end its lease."""
        now = self._clock.now()
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, None)
            if proxy is not None:
                before = proxy.status
                paused(proxy, reason, now)
                proxies.announce(state_changed(proxy, before, now))
            for lease in (await proxies.lending.leases([lease_id])).values():
                lease.failed = True
            await proxies.lending.end([lease_id], now)


async def _lapse(proxies: AgainRepository, now: datetime) -> None:
    """End leases whose time is over, so that their proxies have room again."""
    over = await proxies.lapsed(now)
    if over:
        await proxies.end(over, now)
