"""A span for each request to X: what was asked, how it ended. No cookie, no query, no proxy, no text of an answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from xget_sources.ports import Outcome
from xget_telemetry.tracing import Open, Span, SpanKind, failed, span


def request_span(operation: str, method: str, url: str) -> Open:
    """The span of one request."""
    attributes = {
        "http.request.method": method,
        "server.address": urlsplit(url).hostname or "",
        "xget.operation": operation,
    }
    return span(f"x {operation}", kind=SpanKind.CLIENT, attributes=attributes)


def describe(span: Span, outcome: Outcome) -> None:
    """Add what came back; status 0 means that nothing did."""
    span.set_attributes(
        {
            "http.response.status_code": outcome.status,
            "http.response.body.size": outcome.bytes,
            "xget.body_kind": outcome.body_kind,
            "xget.error_codes": outcome.error_codes,
            "xget.rate_limit.remaining": outcome.remaining,
        }
    )
    if not 200 <= outcome.status < 300:
        failed(span, str(outcome.status) if outcome.status else "no_answer")
