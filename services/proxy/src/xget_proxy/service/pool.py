"""The pool: the wished proxy or the best one, and what requests through it showed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime

from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import HostUnknown, InsideNetwork, NoProxyNow, ProxyNotFound
from xget_proxy.events import state_changed
from xget_proxy.models import ACTIVE, INACTIVE, Lease, Proxy
from xget_proxy.repository import ProxyRepository
from xget_proxy.service.choosing import Wish, choose, lend
from xget_proxy.service.gate import Gate
from xget_proxy.service.health import failed, paused, state, succeeded
from xget_proxy.service.metrics import REPORTS
from xget_proxy.service.vault import Vault
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import Registry

log = get_logger(__name__)

Work = Callable[[], AbstractAsyncContextManager[ProxyRepository]]

_UNREADABLE = (
    "Its password cannot be decrypted with the keys of this installation: give XGET_KEYS (or keys.json) its key back "
    "and start the proxy service anew, or set the password again."
)


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
    """Use cases of the pool; each is one transaction."""

    def __init__(self, work: Work, vault: Vault, gate: Gate, clock: Clock, metrics: Registry | None = None) -> None:
        self._work = work
        self._gate = gate
        self._vault = vault
        self._clock = clock
        self._reports = (metrics or Registry()).counter(REPORTS)

    async def take_back(self) -> int:
        """Let proxies be used again that were set aside for want of a key which is there now; how many."""
        found = 0
        async with self._work() as proxies:
            for proxy in await proxies.set_aside(_UNREADABLE):
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
            async with self._work() as proxies:
                found = await self._lend(proxies, wish)
            if isinstance(found, NoProxyNow):
                raise found  # after the commit: proxies that were set aside stay so
            proxy, lease = found
            try:
                address = await self._gate.admit(proxy.ip, internal=proxy.allow_internal)
            except (InsideNetwork, HostUnknown) as error:
                await self._take_back(proxy.id, lease.id, error.detail)
                continue
            return Chosen(proxy.id, self._vault.url(proxy, address), lease.id, lease.expires_at)

    async def release(self, lease_id: str) -> None:
        """A lease is over; twice is fine, and so is one that nobody knows."""
        async with self._work() as proxies:
            lease = await proxies.leases.get(lease_id)
            if lease is not None and lease.ended_at is None:
                lease.ended_at = self._clock.now()

    async def _take_back(self, proxy_id: str, lease_id: str, reason: str) -> None:
        """Pause a proxy that may not be used, and end its lease."""
        now = self._clock.now()
        async with self._work() as proxies:
            proxy, lease = await proxies.get(proxy_id, None), await proxies.leases.get(lease_id)
            if proxy is not None:
                before = proxy.status
                paused(proxy, reason, now)
                proxies.announce(state_changed(proxy, before, now))
            if lease is not None:
                lease.ended_at, lease.failed = now, True

    async def _lend(self, proxies: ProxyRepository, wish: Wish) -> tuple[Proxy, Lease] | NoProxyNow:
        """The first that can be used; those whose password cannot be read are set aside."""
        now = self._clock.now()
        while True:
            try:
                proxy, why = await choose(proxies, wish, now)
            except NoProxyNow as none:
                return none
            try:
                self._vault.url(proxy)
            except SecretUnreadable:
                proxy.status, proxy.pause_until, proxy.error_msg = INACTIVE, None, _UNREADABLE
                await proxies.save()
            else:
                return proxy, await lend(proxies, proxy, wish, why, now)

    async def report(self, proxy_id: str, *, ok: bool, latency_ms: int, reason: str, lease_id: str = "") -> str:
        """Count what a request showed and give the status. Raises ProxyNotFound (404)."""
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, None)
            if proxy is None:
                raise ProxyNotFound()
            now = self._clock.now()
            lease = await proxies.leases.get(lease_id) if lease_id and not ok else None
            if lease is not None and lease.proxy_id == proxy_id:
                lease.failed = True
            self._reports.labels(ok=str(ok).lower()).inc()
            before = proxy.status
            if ok:
                succeeded(proxy, float(latency_ms) if latency_ms > 0 else None, now)
            else:
                failed(proxy, "".join(c if c.isprintable() else " " for c in reason) or "A request failed.", now)
            proxies.announce(state_changed(proxy, before, now))
            return state(proxy, now)

    async def describe(self, owner_id: str, proxy_id: str) -> Proxy:
        """A proxy of an owner. Raises ProxyNotFound (404)."""
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, owner_id)
            if proxy is None:
                raise ProxyNotFound()
            return proxy

    def state(self, proxy: Proxy) -> str:
        """The state of a proxy now."""
        return state(proxy, self._clock.now())
