"""The SDK: a provider for each service, one queue and one exporter for the process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from xget_telemetry.tracing.following import follow_services
from xget_telemetry.tracing.losses import Losses

FLUSH_SECONDS: Final = 3.0
_OPERATIONS: Final = "XGET_TRACE_OPERATIONS"


class Exporting:
    """What a tracing process holds. Sampler, limits, queue and exporter read their own `OTEL_*` variables.

    `OTEL_SERVICE_NAME` names a process of one service (`single`); where one holds them all it is their namespace.
    """

    def __init__(self, env: Mapping[str, str], *, single: bool) -> None:
        self.losses = Losses()
        self._services: dict[int, str] = {}
        self._processor = BatchSpanProcessor(_Counted(OTLPSpanExporter(), self._lost))
        given = env.get("OTEL_SERVICE_NAME")
        self._name = given if single else None
        self._namespace = "xget" if single or not given else given
        self._providers: dict[str, TracerProvider] = {}
        follow_services()
        if env.get(_OPERATIONS, "").strip().lower() in {"1", "true", "yes", "on"}:
            from xget_telemetry.tracing.operations import instrument  # noqa: PLC0415 - it loads every engine's client

            instrument()

    def tracer(self, service: str) -> trace.Tracer:
        """OpenTelemetry's tracer of a service; its spans carry the service's name as their resource."""
        provider = self._providers.get(service)
        if provider is None:
            attributes = {"service.namespace": self._namespace, "service.name": self._name or service}
            provider = TracerProvider(resource=_resource(attributes), shutdown_on_exit=False)
            self._services[id(provider.resource)] = service
            provider.add_span_processor(self._processor)
            self._providers[service] = provider
        return provider.get_tracer("xget")

    def _lost(self, spans: Sequence[ReadableSpan]) -> None:
        for resource, count in Counter(id(span.resource) for span in spans).items():
            self.losses.tell(self._services.get(resource, ""), count)

    def close(self) -> None:
        """Send what waits, but let no dead receiver hold up the end of the process."""
        sending = threading.Thread(target=self._processor.shutdown, name="traces-flush", daemon=True)
        sending.start()
        sending.join(FLUSH_SECONDS)


class _Counted(SpanExporter):
    """Tells which spans could not be sent."""

    def __init__(self, exporter: SpanExporter, lost: Callable[[Sequence[ReadableSpan]], None]) -> None:
        self._exporter = exporter
        self._lost = lost

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _resource(attributes: dict[str, str]) -> Resource:
    # OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME are read by create(); the service's own name wins.
    return Resource.create().merge(Resource(attributes))
