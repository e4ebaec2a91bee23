"""Fixed-window request counters, as Kong's `rate-limiting` with policy `local` keeps them."""

from __future__ import annotations

from xget_kernel.clock import Clock
from xget_standalone.gateway.config import RateLimiting

WINDOWS = {"second": 1, "minute": 60, "hour": 3600}
MAX_KEYS = 50_000


class Verdict:
    """What a counter says of one request."""

    def __init__(self, limit: int, remaining: int, reset_seconds: int) -> None:
        self.limit = limit
        self.remaining = remaining
        self.reset_seconds = reset_seconds

    @property
    def allowed(self) -> bool:
        """False when the window is used up."""
        return self.remaining >= 0

    def headers(self) -> dict[str, str]:
        """Kong's headers for the tightest window; `retry-after` only on a refusal."""
        shown = {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(max(self.remaining, 0)),
            "ratelimit-reset": str(self.reset_seconds),
        }
        return shown if self.allowed else {**shown, "retry-after": str(self.reset_seconds)}


class RateLimiter:
    """Counts requests per (rule, key) and window; forgets windows that are over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str, str, int], int] = {}

    def take(self, rule: str, config: RateLimiting, key: str) -> Verdict | None:
        """Count one request of `key` under `rule`; None when the rule sets no limit."""
        now = int(self._clock.now().timestamp())
        tightest: Verdict | None = None
        for window, seconds in WINDOWS.items():
            limit = getattr(config, window)
            if limit is None:
                continue
            slot = (rule, key, window, now // seconds)
            self._counts[slot] = self._counts.get(slot, 0) + 1
            verdict = Verdict(limit, limit - self._counts[slot], seconds - now % seconds)
            if tightest is None or verdict.remaining < tightest.remaining:
                tightest = verdict
        if len(self._counts) > MAX_KEYS:
            self._forget(now)
        return tightest

    def _forget(self, now: int) -> None:
        self._counts = {slot: n for slot, n in self._counts.items() if slot[3] == now // WINDOWS[slot[2]]}
