"""What others lend."""

from __future__ import annotations

from collections.abc import Sequence

from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.pages import PageQuery
from xget_proxy.models import Proxy
from xget_proxy.repository import LentRepository
from xget_proxy.schemas.lending import LentProxy
from xget_proxy.service.health import score, state


class LentService:
    """Looks at the proxies of others that somebody may use, on one snapshot."""

    def __init__(self, lent: LentRepository, clock: Clock) -> None:
        self._lent = lent
        self._clock = clock

    async def page(self, caller: Caller, page: PageQuery) -> tuple[Sequence[LentProxy], int]:
        """One page of them by owner, and how many there are."""
        now = self._clock.now()
        rows, total = await self._lent.page(caller.user_id, page, now)
        platforms = await self._lent.platforms(caller.user_id, rows, now)
        return [self._read(proxy, platforms[proxy.id]) for proxy in rows], total

    def _read(self, proxy: Proxy, platforms: set[str]) -> LentProxy:
        now, budget = self._clock.now(), proxy.daily_budget
        used = proxy.used_today if proxy.used_on == now.date().isoformat() else 0
        return LentProxy.model_validate(
            {
                "proxy_id": proxy.id,
                "owner_id": proxy.owner_id,
                "platforms": [] if "" in platforms else sorted(platforms),
                "type": proxy.type,
                "country": proxy.country,
                "state": state(proxy, now),
                "score": score(proxy),
                "max_concurrency": proxy.max_concurrency,
                "daily_budget": budget,
                "budget_left": None if budget is None else max(0, budget - used),
            }
        )
