"""Libraries that make spans themselves: each goes to the service that runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry import trace
from opentelemetry.util._decorator import _agnosticcontextmanager

from xget_telemetry.tracing.context import current


class _Tracer(trace.Tracer):
    """Hands each span to the tracer of the service that runs now. Texts of errors are left out."""

    def start_span(self, *args: Any, **options: Any) -> trace.Span:
        return current().otel.start_span(*args, **options | {"record_exception": False})

    @_agnosticcontextmanager
    def start_as_current_span(self, *args: Any, **options: Any) -> Iterator[trace.Span]:
        quiet = {"record_exception": False, "set_status_on_exception": False}
        with current().otel.start_as_current_span(*args, **options | quiet) as span:
            yield span


class ServiceProvider(trace.TracerProvider):
    """A provider without spans of its own."""

    def get_tracer(self, *_args: Any, **_options: Any) -> trace.Tracer:
        """The tracer that follows the service."""
        return _Tracer()


def follow_services() -> None:
    """Let libraries that ask OpenTelemetry's global provider (Elasticsearch's client) follow the service too."""
    if not isinstance(trace.get_tracer_provider(), ServiceProvider):
        trace.set_tracer_provider(ServiceProvider())
