"""Making spans, and carrying their context in W3C's `traceparent`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from xget_kernel.errors import XGetError
from xget_telemetry.tracing.context import Tracer, current

TRACEPARENT: Final = "traceparent"
Attributes = Mapping[str, AttributeValue]

NO_SPAN: Final = trace.INVALID_SPAN
"""Takes everything and keeps nothing."""
_W3C: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?=-|$)", re.ASCII)
"""Version 00, or a later one, which may have more after it."""
_LONGEST: Final = 512


class Active:
    """A span that is the current one within a `with` block and ends with it.

    An exception is named by its class; its text is left out, since it may hold what nobody should read. The span
    counts as failed unless the exception is an answer (an XGetError below 500).
    """

    __slots__ = ("_span", "_token")

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        self._token = otel_context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        otel_context.detach(self._token)
        if isinstance(error, XGetError) and error.status < 500:
            self._span.set_attribute("error.type", type(error).__name__)
        elif isinstance(error, Exception):
            failed(self._span, type(error).__name__)
        self._span.end()


class Idle:
    """Stands for a span where nothing is traced."""

    __slots__ = ()

    def __enter__(self) -> Span:
        return NO_SPAN

    def __exit__(self, *_exc: object) -> None:
        return None


_IDLE: Final = Idle()
Open = Active | Idle
"""What a `with` statement makes the current span."""


def span(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | None = None,
    attributes: Attributes | None = None,
    links: Iterable[str] = (),
    tracer: Tracer | None = None,
) -> Open:
    """A span around a `with` block, of the service that runs now (or of `tracer`).

    `parent` is a `traceparent` from elsewhere, "" begins a trace; without it the current span is the parent. `links`
    are other `traceparent`s. Names are static, attributes hold ids and counts.
    """
    maker = tracer or current()
    if not maker.on:
        return _IDLE
    return Active(start(name, kind=kind, parent=parent, attributes=attributes, links=links, tracer=maker))


def start(
    name: str,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    parent: str | None = None,
    attributes: Attributes | None = None,
    links: Iterable[str] = (),
    tracer: Tracer | None = None,
) -> Span:
    """A span that is nobody's parent yet: who starts it ends it."""
    maker = tracer or current()
    if not maker.on:
        return NO_SPAN
    contexts = (_context_of(link) for link in links)
    return maker.otel.start_span(
        name,
        context=None if parent is None else _parsed(parent),
        kind=kind,
        attributes=attributes,
        links=[trace.Link(context) for context in contexts if context.is_valid],
    )


def traceparent(of: Span | None = None) -> str | None:
    """The context of a span (the current one) as W3C writes it; None when there is none."""
    found = (of or trace.get_current_span()).get_span_context()
    if not found.is_valid:
        return None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def failed(span: Span, why: str) -> None:
    """Mark a span as failed; `why` is the name of a class or a status."""
    span.set_attribute("error.type", why)
    span.set_status(Status(StatusCode.ERROR))


def _parsed(parent: str) -> otel_context.Context:
    """A context whose current span is the remote one; an empty one when the text is not a traceparent."""
    found = _context_of(parent)
    remote = trace.NonRecordingSpan(found) if found.is_valid else NO_SPAN
    return trace.set_span_in_context(remote, otel_context.Context())


def _context_of(parent: str) -> trace.SpanContext:
    """The context that a traceparent names, an invalid one for anything else. OpenTelemetry's own takes three times as
    long, which shows where it is done for every message."""
    found = _W3C.match(parent) if len(parent) <= _LONGEST else None
    if found is None or (parent.startswith("00") and len(parent) != 55):
        return trace.INVALID_SPAN_CONTEXT
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    return trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags))
