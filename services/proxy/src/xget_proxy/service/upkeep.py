"""Keeps the audit trail no longer than it is wanted."""

from __future__ import annotations

from datetime import timedelta

from xget_kernel.clock import Clock
from xget_proxy.service.pool import Work


class Upkeep:
    """Use cases of the worker alone."""

    def __init__(self, work: Work, clock: Clock, keep: timedelta) -> None:
        self._work = work
        self._clock = clock
        self._keep = keep

    async def prune(self) -> int:
        """Forget leases from before; always gives 0: one round is enough."""
        async with self._work() as proxies:
            await proxies.leases.prune(self._clock.now() - self._keep)
        return 0
