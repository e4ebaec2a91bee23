"""Loans to accounts that have a proxy and keep it: most of all loans, and the quick way to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from xget_proxy.models import INACTIVE, Lease
from xget_proxy.repository import AgainRepository, Held, Own
from xget_proxy.service.health import full, state
from xget_proxy.service.vault import Vault, has_sessions
from xget_proxy.service.wishes import Loan, Wish, lease_of


def may_keep(wish: Wish) -> bool:
    """Whether somebody asks for the proxy of an account."""
    return bool(wish.account_id) and not wish.proxy_id


class Again:
    """The loans of one transaction to accounts that stay with their proxies."""

    def __init__(self, vault: Vault, now: datetime) -> None:
        self._vault = vault
        self._now = now

    async def lend(self, proxies: AgainRepository, wishes: Sequence[Wish]) -> list[Loan | None]:
        """A loan for each wish, in their order; None where a proxy has to be chosen, or refused."""
        asked = {_bound(wish) for wish in wishes if may_keep(wish)}
        own = await proxies.own(asked) if asked else {}
        used: dict[str, Held] = {}
        leases: list[Lease] = []
        found: list[Loan | None] = []
        for wish in wishes:
            one = own.get(_bound(wish)) if may_keep(wish) else None
            if one is None or not self._stays(one, wish):
                found.append(None)
                continue
            lease = lease_of(wish, one.proxy, self._now)
            used[one.proxy.id] = one.proxy
            leases.append(lease)
            found.append(Loan(one.proxy, lease, one.session if has_sessions(one.proxy) else ""))
        if leases:
            proxies.lend([used[proxy_id] for proxy_id in sorted(used)], leases)
        return found

    def _stays(self, own: Own, wish: Wish) -> bool:
        """Whether nothing speaks against the account's proxy: `choosing` knows what else there is, and tells why."""
        proxy = own.proxy
        rests = own.rests_until is not None and own.rests_until > self._now
        elsewhere = bool(wish.country) and proxy.country != wish.country
        anew = has_sessions(proxy) and not own.session
        if rests or elsewhere or anew or proxy.id in wish.avoid:
            return False
        return state(proxy, self._now) != INACTIVE and not full(proxy, self._now) and self._vault.opens(proxy)


def _bound(wish: Wish) -> tuple[str, str, str]:
    return wish.owner_id, wish.account_id, wish.platform
