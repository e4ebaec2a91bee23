"""What requests through proxies showed, for all reports that come at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from xget_kernel.ids import new_id
from xget_proxy.errors import ProxyNotFound
from xget_proxy.events import state_changed
from xget_proxy.models import Binding, Lease, Proxy, Reputation, Rotation
from xget_proxy.repository import ProxyRepository
from xget_proxy.service.health import failed, state, succeeded
from xget_proxy.service.reputations import answered, refused
from xget_proxy.service.vault import has_sessions
from xget_proxy.service.wishes import new_session


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one request showed. `latency_ms` 0: was not measured. `reason` has no secrets."""

    proxy_id: str
    ok: bool
    """An answer came, whatever it was."""
    latency_ms: int = 0
    reason: str = ""
    lease_id: str = ""
    platform: str = ""
    """Who answered; "" when that is not known."""
    refused: bool = False
    """The platform has shut this exit out."""


class Reporting:
    """The reports of one transaction: rows of all their proxies are locked."""

    def __init__(self, proxies: ProxyRepository, now: datetime) -> None:
        self._proxies = proxies
        self._lending = proxies.lending
        self._now = now
        self._known: dict[str, Proxy] = {}
        self._leases: dict[str, Lease] = {}
        self._thinks: dict[tuple[str, str], Reputation] = {}
        self._bound: dict[tuple[str, str], Binding] = {}

    async def take(self, reports: Sequence[Told]) -> list[str | Exception]:
        """The status of each report's proxy afterwards, ProxyNotFound for one that is gone."""
        telling = [told for told in reports if told.lease_id and (told.refused or not told.ok)]
        self._leases = await self._lending.leases({told.lease_id for told in telling})
        refusing = {told.lease_id for told in telling if told.refused}
        accounts = {
            (lease.owner_id, lease.account_id)
            for lease in self._leases.values()
            if lease.id in refusing and lease.account_id
        }
        self._bound = await self._lending.bindings(accounts)
        self._known = await self._lending.known({told.proxy_id for told in reports})
        named = {(told.proxy_id, told.platform) for told in reports if told.platform}
        self._thinks = await self._lending.reputations(named)
        return [self._one(told) for told in reports]

    def _one(self, told: Told) -> str | Exception:
        proxy = self._known.get(told.proxy_id)
        if proxy is None:
            return ProxyNotFound()
        before, now = proxy.status, self._now
        lease = self._leases.get(told.lease_id)
        reason = "".join(c if c.isprintable() else " " for c in told.reason)
        if told.ok:
            succeeded(proxy, float(told.latency_ms) if told.latency_ms > 0 else None, now)
        else:
            failed(proxy, reason or "A request failed.", now)
            if lease is not None and lease.proxy_id == proxy.id:
                lease.failed = True
        if told.platform and told.ok:
            self._learn(proxy, told, lease, reason)
        self._proxies.announce(state_changed(proxy, before, now))
        return state(proxy, now)

    def _learn(self, proxy: Proxy, told: Told, lease: Lease | None, reason: str) -> None:
        """What the platform thinks of the exit."""
        key = (proxy.id, told.platform)
        known = self._thinks.get(key)
        if not told.refused:
            if known is not None:
                answered(known)
            return
        self._thinks[key] = refused(proxy, known, told.platform, reason, self._now)
        if known is None:
            self._lending.add(self._thinks[key])
        if lease is not None and lease.proxy_id == proxy.id and has_sessions(proxy):
            self._renew_session(proxy, told.platform, lease, reason)

    def _renew_session(self, proxy: Proxy, platform: str, lease: Lease, reason: str) -> None:
        """The account stays with its gateway, which gives it another exit."""
        binding = self._bound.get((lease.owner_id, lease.account_id))
        if binding is None or binding.proxy_id != proxy.id:
            return
        binding.session, binding.since = new_session(), self._now
        why = f"{platform} has shut its exit out: a new session of the gateway. {reason}".strip()
        rotation = Rotation(
            id=new_id(),
            owner_id=lease.owner_id,
            account_id=lease.account_id,
            from_proxy_id=proxy.id,
            proxy_id=proxy.id,
            at=self._now,
            reason=why[:300],
        )
        self._lending.add(rotation)
