"""OpenTelemetry traces: one tracer for each part of a process, W3C context between them, next to no cost when off.

    with tracing.configured():  # once, by who starts the process
        await tracing.acting_as("scraper", serve(app, …))  # what runs inside makes spans of the service "scraper"

    with tracing.span("collect page", attributes={"xget.page_no": 3}):
        headers["traceparent"] = tracing.traceparent()

What is never put into a span: credentials, cookies, query strings, texts of errors.
"""

from opentelemetry.trace import Span, SpanKind

from xget_telemetry.tracing.context import Tracer, acting_as, count_losses, current, of
from xget_telemetry.tracing.process import configured
from xget_telemetry.tracing.spans import NO_SPAN, TRACEPARENT, Attributes, Open, failed, span, start, traceparent

__all__ = [
    "NO_SPAN",
    "TRACEPARENT",
    "Attributes",
    "Open",
    "Span",
    "SpanKind",
    "Tracer",
    "acting_as",
    "configured",
    "count_losses",
    "current",
    "failed",
    "of",
    "span",
    "start",
    "traceparent",
]
