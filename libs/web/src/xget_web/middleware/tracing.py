"""A server span around each request, in the caller's trace if it brings one."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xget_telemetry import tracing
from xget_web.middleware.edge import METHODS, QUIET_PATHS

TRACERESPONSE = "traceresponse"


class Traced:
    """Outermost, so that whatever happens to a request belongs to its span. The answer's `traceresponse` names it.

    `route` gives the path template once the request is answered; the path and the query itself are not recorded.
    """

    def __init__(self, app: ASGIApp, *, tracer: tracing.Tracer, route: Callable[[Scope], str]) -> None:
        self._app = app
        self._tracer = tracer
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._tracer.on or scope["path"] in QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        given = Headers(scope=scope).get(tracing.TRACEPARENT, "")
        with (
            self._tracer.acting(),
            tracing.span(method, kind=tracing.SpanKind.SERVER, parent=given) as span,
        ):
            span.set_attribute("http.request.method", method)
            try:
                await self._app(scope, receive, _named(send, span))
            finally:
                route = self._route(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)


def _named(send: Send, span: tracing.Span) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            status, headers = message["status"], MutableHeaders(scope=message)
            headers[TRACERESPONSE] = tracing.traceparent(span) or ""
            span.set_attribute("http.response.status_code", status)
            request_id = headers.get("x-request-id")
            if request_id:
                span.set_attribute("xget.request_id", request_id)
            if status >= 500:
                tracing.failed(span, str(status))
        await send(message)

    return answer
