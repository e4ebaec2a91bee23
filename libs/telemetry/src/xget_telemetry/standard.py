"""Metrics that several services have, each under the one name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, Protocol

from xget_kernel.clock import Clock
from xget_telemetry.metrics import Registry, Spec

READY: Final = Spec("xget_ready", "1 when the service can do its job now, else 0.", ("service",))
ENGINE_UP: Final = Spec("xget_engine_up", "1 when an engine answers, else 0; real ones only.", ("concern", "engine"))
OUTBOX_ROWS: Final = Spec("xget_outbox_rows", "Messages of committed transactions that wait for the event log.")
OUTBOX_AGE: Final = Spec("xget_outbox_oldest_seconds", "How long the oldest of them has waited; 0 without any.")
OUTBOX_REFUSED: Final = Spec("xget_outbox_refused_rows", "Messages that the event log will never take; set aside.")


class Backlog(Protocol):
    """What waits to be sent."""

    async def waiting(self) -> int:
        """How many rows."""
        ...

    async def oldest(self) -> datetime | None:
        """When the first of them was written."""
        ...

    async def refused(self) -> int:
        """How many rows stand aside."""
        ...


def measure_outbox(registry: Registry, backlog: Backlog, clock: Clock) -> None:
    """Show how many messages wait in an outbox, how long, and how many stand aside."""

    async def age() -> float:
        oldest = await backlog.oldest()
        return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0

    measure(registry, OUTBOX_ROWS, backlog.waiting)
    measure(registry, OUTBOX_AGE, age)
    measure(registry, OUTBOX_REFUSED, backlog.refused)


def measure(registry: Registry, spec: Spec, read: Callable[[], Awaitable[float]]) -> None:
    """Show one value that is read for each scrape."""

    async def values() -> dict[tuple[str, ...], float]:
        return {(): await read()}

    registry.sampled(spec, values)
