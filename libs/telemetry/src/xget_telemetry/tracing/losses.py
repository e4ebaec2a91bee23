"""Spans that could not be sent: who counts them hears of them, from the thread that sends."""

from __future__ import annotations

from collections.abc import Callable

from xget_telemetry.metrics import Registry, Spec

SPANS_LOST = Spec(
    "xget_trace_spans_lost_total",
    "Spans of this service that the receiver of traces did not take.",
)


class Losses:
    """Of one process, by service."""

    def __init__(self) -> None:
        self._heard: dict[str, list[Callable[[float], None]]] = {}

    def count(self, registry: Registry, service: str) -> None:
        """Let a registry count what a service loses; it begins at 0."""
        self._heard.setdefault(service, []).append(registry.counter(SPANS_LOST).inc)

    def tell(self, service: str, spans: int) -> None:
        """So many spans of a service are lost."""
        for hear in self._heard.get(service, []):
            hear(spans)
