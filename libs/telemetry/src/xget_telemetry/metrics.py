"""Prometheus metrics with an explicit registry per process; names and labels are typed constants of each service.

A service writes a module of `Spec`s and asks its process's `Registry` for the instruments:

    PAGES = Spec("xget_pages_collected_total", "Raw pages taken from platforms.", ("platform",))
    registry.counter(PAGES).labels(platform="x").inc()

What is a state and not a count (rows that wait, accounts by status) is read when somebody scrapes: `sampled`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics import MetricWrapperBase

from xget_telemetry.logs import get_logger

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Read = Callable[[], Awaitable[Mapping[tuple[str, ...], float]]]
"""Reads the present values of a gauge, by the values of its labels; () for one without labels."""
SAMPLE_SECONDS: Final = 3.0

_log = get_logger(__name__)
_M = TypeVar("_M", bound=MetricWrapperBase)


@dataclass(frozen=True, slots=True)
class Spec:
    """Name (with its unit), one sentence of help, and label names of a metric."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS
    """Upper bounds, for histograms only."""


SAMPLE_FAILURES: Final = Spec(
    "xget_sample_failures_total", "States that could not be read for a scrape; they are left out of it.", ("metric",)
)


class Registry:
    """The instruments of one process. Asking twice for a spec gives the same instrument."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry(auto_describe=True)
        self._made: dict[str, MetricWrapperBase] = {}
        self._sampled: dict[str, tuple[Spec, list[Read]]] = {}

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

    def sampled(self, spec: Spec, read: Read, *, beside: bool = False) -> None:
        """Let a gauge be read by `read` for each scrape; a later reader of the same gauge replaces the first.

        `beside` keeps those before it: of values with the same labels the greatest is shown.
        """
        readers = self._sampled[spec.name][1] if beside and spec.name in self._sampled else []
        self._sampled[spec.name] = (spec, [*readers, read])

    async def scrape(self) -> bytes:
        """The text that `/metrics` answers, with `CONTENT_TYPE`. States that cannot be read are left out."""
        await asyncio.gather(*(self._sample(spec, readers) for spec, readers in self._sampled.values()))
        return self.render()

    def render(self) -> bytes:
        """The same without reading states anew."""
        return generate_latest(self.collectors)

    async def _sample(self, spec: Spec, readers: list[Read]) -> None:
        gauge = self.gauge(spec)
        try:
            async with asyncio.timeout(SAMPLE_SECONDS):
                values = _greatest(await asyncio.gather(*(read() for read in readers)))
        except Exception as error:  # noqa: BLE001 - an engine that is away must not take the other metrics with it
            _log.warning("metric_not_sampled", metric=spec.name, error=type(error).__name__)
            self.counter(SAMPLE_FAILURES).labels(spec.name).inc()
            values = {} if spec.labels else {(): math.nan}
        if spec.labels:
            gauge.clear()
        for labels, value in values.items():
            (gauge.labels(*labels) if labels else gauge).set(value)

    def _keep(self, spec: Spec, made: MetricWrapperBase, kind: type[_M]) -> _M:
        if not isinstance(made, kind):
            raise TypeError(f"{spec.name} is a {type(made).__name__} already and cannot be a {kind.__name__} too.")
        self._made[spec.name] = made
        return made


def _greatest(found: Sequence[Mapping[tuple[str, ...], float]]) -> dict[tuple[str, ...], float]:
    values: dict[tuple[str, ...], float] = {}
    for one in found:
        values |= {labels: max(value, values.get(labels, value)) for labels, value in one.items()}
    return values
