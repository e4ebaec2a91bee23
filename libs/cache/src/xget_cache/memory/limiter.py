"""Counters in this process: kill -9 forgets them, so that a restart allows a window's requests once more."""

from __future__ import annotations

from collections.abc import Sequence

from xget_cache.ports import Quota, Verdict
from xget_cache.verdicts import judge
from xget_kernel.clock import Clock

MAX_COUNTERS = 100_000


class MemoryLimiter:
    """At most `max_counters` counters; the oldest go first, so that many subjects cannot fill the memory."""

    def __init__(self, clock: Clock, max_counters: int = MAX_COUNTERS) -> None:
        self._clock = clock
        self._max_counters = max_counters
        self._counts: dict[tuple[str, int], tuple[int, int]] = {}
        """(subject, seconds) → (number of the window, count)."""

    async def take(self, subject: str, quotas: Sequence[Quota]) -> Verdict:
        now = self._clock.now().timestamp()
        counts = [self._count(subject, quota, now) for quota in quotas]
        verdict = judge(quotas, counts, now)
        if verdict.allowed:
            for quota, count in zip(quotas, counts, strict=True):
                self._counts.pop((subject, quota.seconds), None)
                self._counts[subject, quota.seconds] = (int(now // quota.seconds), count + 1)
            while len(self._counts) > self._max_counters:
                del self._counts[next(iter(self._counts))]
        return verdict

    def _count(self, subject: str, quota: Quota, now: float) -> int:
        window, count = self._counts.get((subject, quota.seconds), (0, 0))
        return count if window == int(now // quota.seconds) else 0
