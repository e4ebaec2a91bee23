"""Which proxy a wish gets, within one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from xget_kernel.ids import new_id
from xget_proxy.errors import NoProxyNow
from xget_proxy.models import INACTIVE, Binding, Lease, Proxy, Rotation
from xget_proxy.repository import ProxyRepository
from xget_proxy.service.health import state


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody needs a proxy for. `country` is ISO 3166-1 alpha-2 in capitals, "" for any."""

    owner_id: str
    proxy_id: str = ""
    country: str = ""
    account_id: str = ""
    """Goes out through the same proxy each time, as long as that works."""
    operation: str = ""
    holder: str = ""
    avoid: tuple[str, ...] = ()
    """Proxies that have just failed the holder: taken only when there is no other."""
    seconds: int = 120


async def choose(proxies: ProxyRepository, wish: Wish, now: datetime) -> tuple[Proxy, str]:
    """The wished proxy, the account's, or the best; and why it is not the account's one from before ("" when it is).

    Raises NoProxyNow (404).
    """
    if wish.proxy_id:
        return await _wished(proxies, wish, now), "Was asked for."
    country, why = wish.country, "Is the account's first."
    binding = await proxies.leases.binding(wish.owner_id, wish.account_id) if wish.account_id else None
    if binding is not None:
        known = await proxies.get(binding.proxy_id, wish.owner_id)
        why = await _unfit(proxies, known, wish, now)
        if known is not None and not why:
            return known, ""
        country = country or binding.country or ""
    for where in dict.fromkeys((country, wish.country)):
        for avoided in dict.fromkeys((wish.avoid, ())):
            best = await _best(proxies, wish.owner_id, where, now, avoided)
            if best is not None:
                return best, why
    raise await _none(proxies, wish, now)


async def _best(
    proxies: ProxyRepository, owner: str, country: str, now: datetime, avoided: tuple[str, ...]
) -> Proxy | None:
    """The best that has room once its row is locked: another may have taken the last lease meanwhile."""
    full: list[str] = []
    while True:
        best = await proxies.best(owner, country, now, [*avoided, *full])
        if best is None or not await _full(proxies, best, now):
            return best
        full.append(best.id)


async def lend(proxies: ProxyRepository, proxy: Proxy, wish: Wish, why: str, now: datetime) -> Lease:
    """Count a use, write the lease down and, when `why` says so, that the account came to another proxy."""
    today = now.date().isoformat()
    proxy.used_today = proxy.used_today + 1 if proxy.used_on == today else 1
    proxy.used_on, proxy.last_used = today, now
    if wish.account_id and why:
        await _bind(proxies, proxy, wish, why, now)
    lease = Lease(
        id=new_id(),
        proxy_id=proxy.id,
        owner_id=wish.owner_id,
        account_id=wish.account_id,
        holder=wish.holder,
        operation=wish.operation,
        at=now,
        expires_at=now + timedelta(seconds=wish.seconds),
        failed=False,
    )
    proxies.leases.add(lease)
    return lease


async def _bind(proxies: ProxyRepository, proxy: Proxy, wish: Wish, why: str, now: datetime) -> None:
    binding = await proxies.leases.binding(wish.owner_id, wish.account_id)
    before = binding.proxy_id if binding else None
    if before == proxy.id:
        return
    owned = {"owner_id": wish.owner_id, "account_id": wish.account_id, "proxy_id": proxy.id}
    if binding is None:
        proxies.leases.add(Binding(**owned, country=proxy.country, since=now))
    else:
        binding.proxy_id, binding.country, binding.since = proxy.id, proxy.country, now
    proxies.leases.add(Rotation(id=new_id(), **owned, from_proxy_id=before, at=now, reason=why[:300]))


async def _wished(proxies: ProxyRepository, wish: Wish, now: datetime) -> Proxy:
    proxy = await proxies.get(wish.proxy_id, wish.owner_id)
    if proxy is None:
        raise NoProxyNow("The proxy that is asked for does not exist: choose another.", any_exists=False)
    if state(proxy, now) == INACTIVE:
        raise _resting(proxy)
    full = await _full(proxies, proxy, now)
    if full:
        more = _at(await _room_at(proxies, wish.owner_id, now))
        raise NoProxyNow(f"The proxy that is asked for has no room now. {full}", any_exists=True, more=more)
    return proxy


async def _unfit(proxies: ProxyRepository, proxy: Proxy | None, wish: Wish, now: datetime) -> str:
    """Why an account leaves its proxy; "" when it stays."""
    if proxy is None:
        return "The one before was removed."
    if proxy.id in wish.avoid:
        return "The one before broke off within a page."
    if state(proxy, now) == INACTIVE:
        return f"The one before does not work now. {proxy.error_msg or ''}".strip()
    if wish.country and proxy.country != wish.country:
        return f"Another country was asked for ({wish.country})."
    return await _full(proxies, proxy, now)


async def _full(proxies: ProxyRepository, proxy: Proxy, now: datetime) -> str:
    """Which of its limits a proxy has reached; "" when it has room."""
    used = proxy.used_today if proxy.used_on == now.date().isoformat() else 0
    if proxy.daily_budget is not None and used >= proxy.daily_budget:
        return f"Its budget of {proxy.daily_budget} a day is spent."
    if proxy.max_concurrency is not None and await proxies.leases.count(proxy.id, now) >= proxy.max_concurrency:
        return f"It is lent {proxy.max_concurrency} times already."
    return ""


async def _none(proxies: ProxyRepository, wish: Wish, now: datetime) -> NoProxyNow:
    where = f" in {wish.country}" if wish.country else ""
    count, working, frees_at = await proxies.resting(wish.owner_id, wish.country, now)
    if count == 0:
        return NoProxyNow(f"There is no proxy{where}: add one with POST /api/v1/proxies.", any_exists=False)
    if working:
        moment = await _room_at(proxies, wish.owner_id, now)
        sentence = f"All {working} working proxies{where} are lent as often as they may be; room at {_text(moment)}."
        return NoProxyNow(sentence, any_exists=True, more=_at(moment))
    until = f"; the next is tried again at {_text(frees_at)}" if frees_at else ""
    return NoProxyNow(f"None of {count} proxies{where} works now{until}.", any_exists=True, more=_at(frees_at))


async def _room_at(proxies: ProxyRepository, owner: str, now: datetime) -> datetime:
    """When a lease ends by itself, at the latest when the day does."""
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return await proxies.leases.first_end(owner, now) or tomorrow


def _resting(proxy: Proxy) -> NoProxyNow:
    if proxy.pause_until is None:
        sentence = f"The proxy that is asked for is switched off: set its status to ACTIVE. {proxy.error_msg or ''}"
        return NoProxyNow(sentence.strip(), any_exists=True)
    moment = _text(proxy.pause_until)
    sentence = f"The proxy that is asked for failed and rests until {moment}. {proxy.error_msg or ''}".strip()
    return NoProxyNow(sentence, any_exists=True, more=_at(proxy.pause_until))


def _at(moment: datetime | None) -> Mapping[str, str]:
    return {"available-at": _text(moment)} if moment else {}


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
