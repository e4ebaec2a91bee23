"""What limits do while Redis is away."""

from __future__ import annotations

from collections.abc import Sequence

from xget_cache.ports import Quota, RateLimiter, Verdict
from xget_kernel.errors import Unavailable


class FallbackLimiter:
    """Counts in `shared`; while that does not answer, in `local`, so each process by itself.

    A limit is then that of one process: too wide by the number of processes, and never a reason to refuse all. The
    next `take` that `shared` answers is shared again; what was counted locally meanwhile is not carried over.
    """

    def __init__(self, shared: RateLimiter, local: RateLimiter) -> None:
        self._shared = shared
        self._local = local

    async def take(self, subject: str, quotas: Sequence[Quota]) -> Verdict:
        try:
            return await self._shared.take(subject, quotas)
        except Unavailable:
            return await self._local.take(subject, quotas)
