"""Takes proxies from providers' lists, again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from xget_contracts.events import ProxyChanged
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery
from xget_kernel.secrets import SecretUnreadable
from xget_proxy.errors import BadProvider, HostUnknown, InsideNetwork, ListUnreadable, ProviderNotFound
from xget_proxy.models import ACTIVE, INACTIVE, Provider, Proxy
from xget_proxy.repository import ProxyRepository
from xget_proxy.schemas import ProviderCreate, ProviderRead
from xget_proxy.service.gate import Gate
from xget_proxy.service.pool import Work
from xget_proxy.service.proxies import fresh
from xget_proxy.service.reading import Found, Refused, read
from xget_proxy.service.trail import subject_of
from xget_proxy.service.vault import Vault
from xget_web.audit import by

Fetch = Callable[[str, str], Awaitable[str]]
"""The text at a URL, from this address. Raises ListUnreadable."""

MOST: Final = 10_000
_CLAIM: Final = timedelta(minutes=5)
_AFTER_FAILURE: Final = timedelta(minutes=5)
_GONE: Final = "Is no longer on its provider's list."


class ProviderService:
    """Use cases of providers. No transaction is open while a list is fetched."""

    def __init__(
        self, look: Work, work: Work, vault: Vault, gate: Gate, *, hosts: frozenset[str], fetch: Fetch, clock: Clock
    ) -> None:
        self._look = look
        self._work = work
        self._vault = vault
        self._gate = gate
        self._hosts = hosts
        self._fetch = fetch
        self._clock = clock

    async def page(self, caller: Caller, page: PageQuery) -> tuple[Sequence[ProviderRead], int]:
        """The caller's providers, newest first, and how many there are."""
        async with self._look() as proxies:
            rows, total = await proxies.providers.page(caller.owner_filter, page)
            return [_read(row) for row in rows], total

    async def create(self, body: ProviderCreate, host: str, caller: Caller, proxies: ProxyRepository) -> ProviderRead:
        """Add a provider at a host that was `admitted`, in the caller's transaction. Raises ProviderExists (409)."""
        now = self._clock.now()
        provider = Provider(
            id=new_id(), owner_id=caller.user_id, name=body.name, host=host, url="", type=body.type,
            country=body.country, every_seconds=body.every_seconds, next_at=now, created_at=now,
            added=0, removed=0, kept=0, refused=0,
        )  # fmt: skip
        self._vault.seal_url(provider, body.url)
        await proxies.providers.add(provider)
        proxies.trail.note("provider.created", subject_of(provider), {"name": provider.name, "host": host})
        return _read(provider)

    async def refresh(self, provider_id: str, caller: Caller) -> ProviderRead:
        """Read a list now. Raises ProviderNotFound (404)."""
        async with self._look() as proxies:
            provider = await proxies.providers.get(provider_id, caller.owner_filter)
            if provider is None:
                raise ProviderNotFound()
        await self._refresh(provider)
        async with self._look() as proxies:
            again = await proxies.providers.get(provider_id, caller.owner_filter)
            if again is None:
                raise ProviderNotFound()
            return _read(again)

    async def delete(self, provider_id: str, caller: Caller) -> None:
        """Forget a provider and retire its proxies. Raises ProviderNotFound (404)."""
        async with self._work() as proxies:
            provider = await proxies.providers.get(provider_id, caller.owner_filter)
            if provider is None:
                raise ProviderNotFound()
            for proxy in await proxies.providers.proxies(provider.id):
                _retire(proxy, self._clock.now())
            proxies.trail.note("provider.deleted", subject_of(provider), {"name": provider.name}, actor=by(caller))
            await proxies.providers.delete(provider)

    async def in_turn(self) -> int:
        """Read the lists of everybody that are due; gives how many. Several workers may: each takes others."""
        now = self._clock.now()
        async with self._work() as proxies:
            found = await proxies.providers.due(now, 10)
            for provider in found:
                provider.next_at = now + _CLAIM
        for provider in found:
            await self._refresh(provider)
        return len(found)

    async def admitted(self, url: str) -> str:
        """The host of a URL that lists may come from. Raises BadProvider."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower() if parts.port != 0 else ""
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme != "https" or not host or parts.username is not None:
            raise BadProvider("url", "https", "The URL must begin with https:// and a host, without a login in it.")
        if host not in self._hosts:
            sentence = f"Lists may not come from {host}: an operator may allow it in XGET_PROXY_PROVIDER_HOSTS."
            raise BadProvider("url", "allowed_host", sentence)
        try:
            await self._gate.admit(host, internal=False)
        except InsideNetwork as error:
            raise BadProvider("url", "internal", f"{host} lies inside the operator's own network.") from error
        except HostUnknown:
            pass  # may be known when the list is read
        return host

    async def _refresh(self, provider: Provider) -> None:
        try:
            url = self._vault.open_url(provider)
            if provider.host not in self._hosts:
                raise ListUnreadable(f"{provider.host} is no longer in XGET_PROXY_PROVIDER_HOSTS.")
            text = await self._fetch(url, await self._gate.admit(provider.host, internal=False))
            lines = read(text, type=provider.type, country=provider.country)
            found = {line.key: line for line in lines if isinstance(line, Found)}
            inside = await self._gate.screen(line.ip for line in found.values())
            good = {key: line for key, line in found.items() if line.ip not in inside}
            if not good:
                raise ListUnreadable("It holds no proxy that can be used.")
            if len(good) > MOST:
                raise ListUnreadable(f"It holds more than {MOST} proxies.")
        except (ListUnreadable, InsideNetwork, HostUnknown, SecretUnreadable) as error:
            await self._failed(provider, error.detail)
            return
        refused = sum(isinstance(line, Refused) for line in lines) + len(found) - len(good)
        await self._take(provider, good, refused)

    async def _failed(self, provider: Provider, reason: str) -> None:
        now = self._clock.now()
        async with self._work() as proxies:
            row = await proxies.providers.get(provider.id, None)
            if row is None:
                return
            soon = min(_AFTER_FAILURE, timedelta(seconds=row.every_seconds))
            if row.last_error is None:
                fact = ProxyChanged(
                    subject_id=row.id, owner_id=row.owner_id, kind="provider_failed", reason=reason, at=now
                )
                proxies.announce(fact)
            row.last_at, row.last_error, row.next_at = now, reason[:300], now + soon

    async def _take(self, provider: Provider, good: dict[tuple[str, str, int, str], Found], refused: int) -> None:
        """Add what is new, keep what is there, retire what is gone: all or nothing."""
        now = self._clock.now()
        async with self._work() as proxies:
            row = await proxies.providers.get(provider.id, None)
            if row is None:
                return
            known = {_key(proxy): proxy for proxy in await proxies.same(row.owner_id, list(good))}
            ours = {_key(proxy): proxy for proxy in await proxies.providers.proxies(row.id)}
            new = [self._fresh(row, line, now) for key, line in good.items() if key not in known]
            for key in good.keys() & ours.keys():
                _return(ours[key])
            gone = [proxy for key, proxy in ours.items() if key not in good and proxy.retired_at is None]
            for proxy in gone:
                _retire(proxy, now)
            await proxies.add(new)
            if new or gone:
                told = {"name": row.name, "added": len(new), "removed": len(gone)}
                proxies.trail.note("provider.refreshed", subject_of(row), told)
            row.added, row.removed, row.kept, row.refused = len(new), len(gone), len(good) - len(new), refused
            row.last_at, row.last_error = now, None
            row.next_at = now + timedelta(seconds=row.every_seconds)

    def _fresh(self, provider: Provider, line: Found, now: datetime) -> Proxy:
        proxy = fresh(provider.owner_id, line.key, now)
        proxy.country, proxy.city, proxy.isp = line.country, line.city, line.isp
        proxy.provider_id = provider.id
        self._vault.seal(proxy, line.password)
        return proxy


def _retire(proxy: Proxy, now: datetime) -> None:
    if proxy.retired_at is None:
        proxy.status, proxy.pause_until, proxy.retired_at, proxy.error_msg = INACTIVE, None, now, _GONE


def _return(proxy: Proxy) -> None:
    if proxy.retired_at is not None:
        proxy.status, proxy.retired_at, proxy.error_msg, proxy.check_at = ACTIVE, None, None, None


def _key(proxy: Proxy) -> tuple[str, str, int, str]:
    return proxy.type, proxy.ip, proxy.port, proxy.username


def _read(provider: Provider) -> ProviderRead:
    return ProviderRead.model_validate(provider, from_attributes=True)
