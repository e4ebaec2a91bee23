"""What counts mean: the same for every engine."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xget_cache.ports import Quota, Verdict


def judge(quotas: Sequence[Quota], counts: Sequence[int], now: float) -> Verdict:
    """The verdict on one more, when `counts` were taken before it. `now` is in seconds since 1970."""
    exhausted = [quota for quota, count in zip(quotas, counts, strict=True) if count >= quota.limit]
    if exhausted:
        tightest = max(exhausted, key=lambda quota: reset(quota, now))
        return Verdict(False, tightest.limit, 0, reset(tightest, now))
    left, tightest = min(
        ((quota.limit - count - 1, quota) for quota, count in zip(quotas, counts, strict=True)),
        key=lambda pair: (pair[0], -pair[1].seconds),
    )
    return Verdict(True, tightest.limit, left, reset(tightest, now))


def reset(quota: Quota, now: float) -> int:
    """Whole seconds until the quota's window is over, at least 1."""
    return max(1, math.ceil(quota.seconds - now % quota.seconds))
