"""Spans of calls, on both sides; the context travels as metadata."""

from __future__ import annotations

from typing import Any

import msgspec

from xget_telemetry import tracing
from xget_telemetry.tracing import SpanKind


class Call(msgspec.Struct, frozen=True):
    """What a server knows of a call before it handles it. `parent` is the caller's traceparent, or ""."""

    method: str
    allowed: bool
    tracer: tracing.Tracer
    parent: str


def client_span(details: Any) -> Any:
    """The span of a call that is made in a `with` block."""
    if not tracing.current().on:
        return tracing.span("")
    name, attributes = _described(details.method)
    return tracing.span(name, kind=SpanKind.CLIENT, attributes=attributes)


def client_stream(details: Any) -> tracing.Span:
    """The span of a call whose answers come bit by bit; who starts it ends it."""
    name, attributes = _described(details.method)
    return tracing.start(name, kind=SpanKind.CLIENT, attributes=attributes)


def server_span(call: Call) -> Any:
    """The span of a call that is answered in a `with` block."""
    name, attributes = _described(call.method)
    return tracing.span(name, kind=SpanKind.SERVER, parent=call.parent, attributes=attributes, tracer=call.tracer)


def server_stream(call: Call) -> tracing.Span:
    """The span of a call that is answered bit by bit; who starts it ends it."""
    name, attributes = _described(call.method)
    return tracing.start(name, kind=SpanKind.SERVER, parent=call.parent, attributes=attributes, tracer=call.tracer)


def traceparent_of(details: Any) -> str:
    """The caller's context among the metadata of a call."""
    given = dict(details.invocation_metadata or ()).get(tracing.TRACEPARENT, "")
    return given if isinstance(given, str) else ""


def _described(method: str | bytes) -> tuple[str, dict[str, str]]:
    name = (method.decode() if isinstance(method, bytes) else method).strip("/")
    service, _, call = name.partition("/")
    return name, {"rpc.system": "grpc", "rpc.service": service, "rpc.method": call}
