"""Kong's `rate-limiting` on the cache's limiter: policy `local` without REDIS_URL, `redis` with it.

Like Kong's, windows are fixed and a refused request is not counted. While Redis is away each process counts by itself,
where Kong with `fault_tolerant` would not count at all.
"""

from __future__ import annotations

import hashlib

from xget_cache.house import CacheHouse
from xget_cache.ports import Quota, RateLimiter, Verdict
from xget_kernel.errors import StartupError
from xget_standalone.gateway.config import GatewayConfig, RateLimiting

WINDOWS = {"second": 1, "minute": 60, "hour": 3600}


class Limits:
    """Counts requests per (rule, key)."""

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter

    async def take(self, rule: str, config: RateLimiting, *, address: str, token: str) -> Verdict | None:
        """Count one request of `token`, or of `address` when it has none; None when the rule sets no limit."""
        quotas = [
            Quota(limit, seconds)
            for window, seconds in WINDOWS.items()
            if (limit := getattr(config, window)) is not None
        ]
        if not quotas:
            return None
        # A token must not stand in a shared store.
        who = hashlib.sha256(token.encode()).hexdigest()[:32] if token else address
        return await self._limiter.take(f"{rule}:{who}", quotas)


def headers(verdict: Verdict) -> dict[str, str]:
    """Kong's headers for the tightest window; `retry-after` only on a refusal."""
    shown = {
        "ratelimit-limit": str(verdict.limit),
        "ratelimit-remaining": str(verdict.remaining),
        "ratelimit-reset": str(verdict.reset_seconds),
    }
    return shown if verdict.allowed else {**shown, "retry-after": str(verdict.reset_seconds)}


def check_policies(config: GatewayConfig, house: CacheHouse) -> None:
    """Raise StartupError when a plugin wants counters in Redis and there is none."""
    of_routes = (route.plugins.get("rate-limiting") for route in config.routes)
    for plugin in (config.plugins.get("rate-limiting"), *of_routes):
        if isinstance(plugin, RateLimiting) and plugin.policy == "redis" and house.engine != "redis":
            raise StartupError("kong.yml counts with policy redis: set REDIS_URL, or write policy: local.")
