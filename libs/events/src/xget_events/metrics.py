"""What consumers of events measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xget_telemetry.metrics import Registry, Spec

HANDLED = Spec("xget_events_handled_total", "Records that a group has handled and committed.", ("group", "topic"))
DEAD = Spec("xget_events_dlq_total", "Records that a group has sent to a dead-letter topic.", ("group", "topic"))
RETRIED = Spec("xget_events_retries_total", "Batches that a group has tried again.", ("group",))
FENCED = Spec("xget_events_fenced_total", "Commits refused because the partition had passed on.", ("group",))
LAG = Spec("xget_events_lag_records", "Records that a group has yet to commit.", ("group", "topic", "partition"))
HANDLING = Spec("xget_events_batch_seconds", "Time from a batch's arrival to its commit.", ("group",))


class RunnerMetrics:
    """The instruments of one group in this process."""

    def __init__(self, registry: Registry, group: str, topics: Iterable[str] = ()) -> None:
        self._group = group
        self._registry = registry
        for topic in topics:
            # From 0 on, so that the first of them is an increase too.
            registry.counter(HANDLED).labels(group, topic)
            registry.counter(DEAD).labels(group, topic)

    def handled(self, topic: str, count: int) -> None:
        """Count committed records."""
        self._registry.counter(HANDLED).labels(self._group, topic).inc(count)

    def dead(self, topic: str) -> None:
        """Count a dead letter."""
        self._registry.counter(DEAD).labels(self._group, topic).inc()

    def retried(self) -> None:
        """Count one more try."""
        self._registry.counter(RETRIED).labels(self._group).inc()

    def fenced(self) -> None:
        """Count a refused commit."""
        self._registry.counter(FENCED).labels(self._group).inc()

    def lag(self, by_partition: Mapping[tuple[str, int], int]) -> None:
        """Set what is left to do."""
        for (topic, partition), count in by_partition.items():
            self._registry.gauge(LAG).labels(self._group, topic, str(partition)).set(count)

    def took(self, seconds: float) -> None:
        """Observe a batch."""
        self._registry.histogram(HANDLING).labels(self._group).observe(seconds)
