"""How well a proxy works, from what is seen: pure arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from xget_proxy.models import ACTIVE, CHECKING, INACTIVE, Proxy, worth
from xget_proxy.repository import Held

WEIGHT: Final = 0.3
"""Of the newest measurement."""
TOLERATED: Final = 3
"""Failures in a row after which a proxy pauses."""
LONGEST_PAUSE: Final = timedelta(minutes=60)


def state(proxy: Proxy | Held, now: datetime) -> str:
    """ACTIVE, INACTIVE, or CHECKING when the pause is over."""
    if proxy.status == INACTIVE and proxy.pause_until is not None and proxy.pause_until <= now:
        return CHECKING
    return proxy.status


def full(proxy: Proxy | Held, now: datetime) -> str:
    """Which of its limits a proxy has reached; "" when it has room."""
    used = proxy.used_today if proxy.used_on == now.date().isoformat() else 0
    if proxy.daily_budget is not None and used >= proxy.daily_budget:
        return f"Its budget of {proxy.daily_budget} a day is spent."
    if proxy.max_concurrency is not None and proxy.lent >= proxy.max_concurrency:
        return f"It is lent {proxy.max_concurrency} times already."
    return ""


def score(proxy: Proxy) -> float:
    """What a proxy is worth before its load: success rate over latency, 0 to 1."""
    return round(worth(proxy.success_rate, proxy.latency, 0), 3)


def succeeded(proxy: Proxy, latency_ms: float | None, now: datetime) -> None:
    """Count a success: a pause ends. A proxy that a person switched off stays off."""
    if latency_ms is not None:
        proxy.latency = weighted(proxy.latency, latency_ms)
    proxy.success_rate = weighted(proxy.success_rate, 1.0)
    proxy.failures = proxy.pauses = 0
    proxy.error_msg = None
    proxy.last_check = now
    if proxy.pause_until is not None:
        proxy.status, proxy.pause_until = ACTIVE, None


def failed(proxy: Proxy, reason: str, now: datetime) -> None:
    """Count a failure: the third in a row, or one after a pause, makes a pause of 1, 2, 4 … 60 minutes."""
    trial = state(proxy, now) == CHECKING
    proxy.success_rate = weighted(proxy.success_rate, 0.0)
    proxy.failures += 1
    proxy.error_msg = reason[:300]
    proxy.last_check = now
    if trial or (proxy.status == ACTIVE and proxy.failures >= TOLERATED):
        pause = timedelta(minutes=2 ** min(proxy.pauses, 10))
        proxy.pauses += 1
        proxy.status, proxy.pause_until = INACTIVE, now + min(pause, LONGEST_PAUSE)
        proxy.check_at = proxy.pause_until


def paused(proxy: Proxy, reason: str, now: datetime) -> None:
    """Count a failure that no second try mends soon: the pause begins at once."""
    proxy.failures = TOLERATED
    failed(proxy, reason, now)


def weighted(before: float | None, newest: float) -> float:
    """A mean that forgets: the newest measurement counts WEIGHT."""
    return newest if before is None else before + WEIGHT * (newest - before)
