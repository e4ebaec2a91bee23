"""Keeps the audit trail no longer than it is wanted."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from xget_kernel.clock import Clock
from xget_proxy.service.pool import Work

BATCH: Final = 500
"""Rows that one transaction removes: others write in between."""


class Upkeep:
    """Use cases of the worker alone."""

    def __init__(self, work: Work, clock: Clock, keep: timedelta, trail: timedelta) -> None:
        self._work = work
        self._clock = clock
        self._keep = keep
        self._trail = trail

    async def prune(self) -> int:
        """Forget leases from before, end those whose time is over, and forget some of what was done before.

        Above 0 while there may be more.
        """
        now = self._clock.now()
        async with self._work() as proxies:
            await proxies.leases.prune(now - self._keep)
            await proxies.lending.lapse(now)
            await proxies.lending.count_anew()
            removed = await proxies.prune_trail(now - self._trail, BATCH)
        return removed if removed == BATCH else 0
