"""What a platform thinks of a proxy's exit: pure arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from xget_proxy.models import Proxy, Reputation
from xget_proxy.service.health import weighted
from xget_proxy.service.vault import has_sessions

FIRST_REST: Final = timedelta(minutes=15)
LONGEST_REST: Final = timedelta(hours=24)
TOLERATED_OF_GATEWAYS: Final = 3
"""Refusals in a row before a rotating gateway rests: each was another exit."""


def refused(proxy: Proxy, known: Reputation | None, platform: str, reason: str, now: datetime) -> Reputation:
    """Count that the platform has shut the exit out: it rests there for 15, 30, 60 … minutes, at most a day.

    A rotating gateway rests from the third in a row on. What the proxy is worth elsewhere stays.
    """
    thinks = known or Reputation(proxy_id=proxy.id, platform=platform, success_rate=1.0, refusals=0)
    thinks.success_rate = weighted(thinks.success_rate, 0.0)
    thinks.refusals += 1
    thinks.refused_at, thinks.reason = now, reason[:300]
    spared = TOLERATED_OF_GATEWAYS - 1 if proxy.rotating or has_sessions(proxy) else 0
    if thinks.refusals > spared:
        rest = FIRST_REST * 2 ** min(thinks.refusals - spared - 1, 10)
        thinks.rests_until = now + min(rest, LONGEST_REST)
    return thinks


def answered(thinks: Reputation) -> None:
    """Count that the platform answered: a rest ends."""
    thinks.success_rate = weighted(thinks.success_rate, 1.0)
    thinks.refusals, thinks.rests_until = 0, None


def rests(thinks: Reputation | None, now: datetime) -> bool:
    """Whether the platform has shut the exit out lately."""
    return thinks is not None and thinks.rests_until is not None and thinks.rests_until > now
