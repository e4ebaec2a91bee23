"""A readiness check on the ways to other services."""

from __future__ import annotations

from collections.abc import Iterable

from xget_kernel.breaker import Breaker
from xget_web.health import Check, Degraded


def peers_answer(breakers: Iterable[Breaker]) -> Check:
    """Degraded while one of `breakers` (read at each check) is open: what needs that peer answers 503, no more."""

    async def other_services() -> str | None:
        troubles = [trouble for breaker in breakers if (trouble := breaker.trouble())]
        return Degraded(" ".join(troubles)) if troubles else None

    return other_services
