"""The pool: the wished proxy or the best one, and what requests through it showed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime

from xget_kernel.clock import Clock
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import HostUnknown, InsideNetwork, NoProxyNow, ProxyNotFound
from xget_proxy.models import ACTIVE, INACTIVE, Proxy
from xget_proxy.repository import ProxyRepository
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

    async def acquire(self, owner_id: str, proxy_id: str = "", country: str = "") -> Chosen:
        """The wished proxy, or the owner's best one (of a country). Raises NoProxyNow (404)."""
        while True:
            async with self._work() as proxies:
                found = await self._first(proxies, owner_id, proxy_id, country)
            if isinstance(found, NoProxyNow):
                raise found  # after the commit: proxies that were set aside stay so
            try:
                address = await self._gate.admit(found.ip, internal=found.allow_internal)
            except (InsideNetwork, HostUnknown) as error:
                await self._pause(found.id, error.detail)
                continue
            return Chosen(found.id, self._vault.url(found, address))

    async def _pause(self, proxy_id: str, reason: str) -> None:
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, None)
            if proxy is not None:
                paused(proxy, reason, self._clock.now())

    async def _first(self, proxies: ProxyRepository, owner_id: str, proxy_id: str, country: str) -> Proxy | NoProxyNow:
        """The first that can be used; those whose password cannot be read are set aside."""
        now = self._clock.now()
        while True:
            try:
                proxy = await self._pick(proxies, owner_id, proxy_id, country, now)
            except NoProxyNow as none:
                return none
            proxy.last_used = now
            try:
                self._vault.url(proxy)
                return proxy
            except SecretUnreadable:
                proxy.status, proxy.pause_until, proxy.error_msg = INACTIVE, None, _UNREADABLE
                await proxies.save()

    async def report(self, proxy_id: str, *, ok: bool, latency_ms: int, reason: str) -> str:
        """Count what a request showed and give the status. Raises ProxyNotFound (404)."""
        async with self._work() as proxies:
            proxy = await proxies.get(proxy_id, None)
            if proxy is None:
                raise ProxyNotFound()
            now = self._clock.now()
            self._reports.labels(ok=str(ok).lower()).inc()
            if ok:
                succeeded(proxy, float(latency_ms) if latency_ms > 0 else None, now)
            else:
                failed(proxy, "".join(c if c.isprintable() else " " for c in reason) or "A request failed.", now)
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

    async def _pick(self, proxies: ProxyRepository, owner_id: str, proxy_id: str, country: str, now: datetime) -> Proxy:
        if proxy_id:
            proxy = await proxies.get(proxy_id, owner_id)
            if proxy is None:
                raise NoProxyNow("The proxy that is asked for does not exist: choose another.", any_exists=False)
            if state(proxy, now) == INACTIVE:
                raise _resting(proxy)
            return proxy
        best = await proxies.best(owner_id, country.upper(), now)
        if best is None:
            raise await self._none(proxies, owner_id, country.upper())
        return best

    async def _none(self, proxies: ProxyRepository, owner_id: str, country: str) -> NoProxyNow:
        count, frees_at = await proxies.resting(owner_id, country)
        where = f" in {country}" if country else ""
        if count == 0:
            return NoProxyNow(f"There is no proxy{where}: add one with POST /api/v1/proxies.", any_exists=False)
        more = {"available-at": _text(frees_at)} if frees_at else {}
        until = f"; the next is tried again at {_text(frees_at)}" if frees_at else ""
        return NoProxyNow(f"None of {count} proxies{where} works now{until}.", any_exists=True, more=more)


def _resting(proxy: Proxy) -> NoProxyNow:
    if proxy.pause_until is None:
        sentence = f"The proxy that is asked for is switched off: set its status to ACTIVE. {proxy.error_msg or ''}"
        return NoProxyNow(sentence.strip(), any_exists=True)
    moment = _text(proxy.pause_until)
    sentence = f"The proxy that is asked for failed and rests until {moment}. {proxy.error_msg or ''}".strip()
    return NoProxyNow(sentence, any_exists=True, more={"available-at": moment})


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
