"""Prometheus metrics with an explicit registry per process; names and labels are typed constants of each service.

A service writes a module of `Spec`s and asks its process's `Registry` for the instruments:

    PAGES = Spec("xget_pages_collected_total", "Raw pages taken from platforms.", ("platform",))
    registry.counter(PAGES).labels(platform="x").inc()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics import MetricWrapperBase

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_M = TypeVar("_M", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class Spec:
    """Name (with its unit), one sentence of help, and label names of a metric."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS
    """Upper bounds, for histograms only."""


class Registry:
    """The instruments of one process. Asking twice for a spec gives the same instrument."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry(auto_describe=True)
        self._made: dict[str, MetricWrapperBase] = {}

    def counter(self, spec: Spec) -> Counter:
        made = self._made.get(spec.name) or Counter(spec.name, spec.help, spec.labels, registry=self.collectors)
        return self._keep(spec, made, Counter)

    def gauge(self, spec: Spec) -> Gauge:
        made = self._made.get(spec.name) or Gauge(spec.name, spec.help, spec.labels, registry=self.collectors)
        return self._keep(spec, made, Gauge)

    def histogram(self, spec: Spec) -> Histogram:
        made = self._made.get(spec.name) or Histogram(
            spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=self.collectors
        )
        return self._keep(spec, made, Histogram)

    def render(self) -> bytes:
        """The text that `/metrics` answers, with `CONTENT_TYPE`."""
        return generate_latest(self.collectors)

    def _keep(self, spec: Spec, made: MetricWrapperBase, kind: type[_M]) -> _M:
        if not isinstance(made, kind):
            raise TypeError(f"{spec.name} is a {type(made).__name__} already and cannot be a {kind.__name__} too.")
        self._made[spec.name] = made
        return made
