"""What is asked of the pool, and what is lent."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from xget_db.grants import Lent
from xget_kernel.ids import new_id
from xget_proxy.models import Binding, Lease, Proxy
from xget_proxy.repository import Held, Pool
from xget_proxy.service.vault import has_sessions


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
    platform: str = ""
    """Who is asked through it: exits that it has shut out are taken only when there is no other."""


@dataclass(frozen=True, repr=False)
class Loan:
    """A proxy that is lent, and which session of a gateway it is ("" for none)."""

    proxy: Proxy | Held
    lease: Lease
    session: str


def lease_of(wish: Wish, proxy: Proxy | Held, now: datetime) -> Lease:
    """A new lease; the proxy is used once more."""
    today = now.date().isoformat()
    proxy.used_today = proxy.used_today + 1 if proxy.used_on == today else 1
    proxy.used_on, proxy.last_used = today, now
    proxy.lent += 1
    return Lease(
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


def new_session() -> str:
    """A name that a gateway has not heard before."""
    return secrets.token_hex(4)


def session_of(proxy: Proxy, bound: Binding | None) -> str:
    """An account keeps its session; without an account each loan is a new one."""
    if not has_sessions(proxy):
        return ""
    if bound is None:
        return new_session()
    bound.session = bound.session or new_session()
    return bound.session


def pools_of(wish: Wish, country: str, lent: Lent) -> list[Pool]:
    """Where a proxy is sought among an owner's: in the country of the account's last one, without what just failed,
    and last among those that the platform has shut out."""
    return [
        Pool(lent.owner_id, where, avoided, wish.platform, shut_out, lent.subject_id)
        for shut_out in ((False, True) if wish.platform else (True,))
        for where in dict.fromkeys((country, wish.country))
        for avoided in dict.fromkeys((wish.avoid, ()))
    ]
