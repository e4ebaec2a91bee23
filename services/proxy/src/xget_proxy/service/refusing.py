"""Why there is no proxy to lend, and when there may be one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from xget_db.grants import Lent
from xget_proxy.errors import NoProxyNow
from xget_proxy.models import Proxy
from xget_proxy.repository import ProxyRepository
from xget_proxy.repository.proxies import within

UNREADABLE: Final = (
    "Its password cannot be decrypted with the keys of this installation: give XGET_KEYS (or keys.json) its key back "
    "and start the proxy service anew, or set the password again."
)


Pools = Sequence[Lent]
"""Whose proxies would do: the owner's, and those that others lend him."""


async def none_at_all(proxies: ProxyRepository, pools: Pools, country: str, now: datetime) -> NoProxyNow:
    """None of these proxies (in a country) can be lent."""
    where = f" in {country}" if country else ""
    count, working, frees_at = await proxies.resting(pools, country, now)
    if count == 0:
        return NoProxyNow(f"There is no proxy{where}: add one with POST /api/v1/proxies.", any_exists=False)
    if working:
        moment = await _room_at(proxies, pools, now)
        sentence = f"All {working} working proxies{where} are lent as often as they may be; room at {_text(moment)}."
        return NoProxyNow(sentence, any_exists=True, more=_at(moment))
    until = f"; the next is tried again at {_text(frees_at)}" if frees_at else ""
    return NoProxyNow(f"None of {count} proxies{where} works now{until}.", any_exists=True, more=_at(frees_at))


async def no_room(proxies: ProxyRepository, pools: Pools, full: str, now: datetime) -> NoProxyNow:
    """The wished proxy has reached a limit: `full` says which."""
    more = _at(await _room_at(proxies, pools, now))
    return NoProxyNow(f"The proxy that is asked for has no room now. {full}", any_exists=True, more=more)


def resting(proxy: Proxy) -> NoProxyNow:
    """The wished proxy is paused or switched off."""
    if proxy.pause_until is None:
        sentence = f"The proxy that is asked for is switched off: set its status to ACTIVE. {proxy.error_msg or ''}"
        return NoProxyNow(sentence.strip(), any_exists=True)
    moment = _text(proxy.pause_until)
    sentence = f"The proxy that is asked for failed and rests until {moment}. {proxy.error_msg or ''}".strip()
    return NoProxyNow(sentence, any_exists=True, more=_at(proxy.pause_until))


async def _room_at(proxies: ProxyRepository, pools: Pools, now: datetime) -> datetime:
    """When a lease ends by itself, at the latest when the day does."""
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return await proxies.leases.first_end(within(pools), now) or tomorrow


def _at(moment: datetime | None) -> Mapping[str, str]:
    return {"available-at": _text(moment)} if moment else {}


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
