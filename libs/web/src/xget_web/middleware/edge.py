"""Outermost: request id, access log, metrics, security headers, and 500 for what nobody caught."""

import re
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xget_kernel.errors import XGetError
from xget_kernel.ids import new_id
from xget_telemetry import logs
from xget_telemetry.metrics import Registry
from xget_web import problems
from xget_web.errors import InternalError, PathNotFound
from xget_web.metrics import HTTP_REQUESTS, HTTP_SECONDS
from xget_web.routes import RouteTable

REQUEST_ID = "x-request-id"
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
NUL = "\0"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}

log = logs.get_logger(__name__)


class Edge:
    """Wraps one app; knows its routes for the labels of its metrics."""

    def __init__(self, app: ASGIApp, *, service: str, routes: RouteTable, registry: Registry) -> None:
        self._app = app
        self._service = service
        self._routes = routes
        self._requests = registry.counter(HTTP_REQUESTS)
        self._seconds = registry.histogram(HTTP_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, _request_id(scope))
        started = perf_counter()
        with logs.bind(request_id=answer.request_id):
            try:
                await self._answer(scope, receive, answer)
            finally:
                self._record(scope, answer.status, perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            if NUL in scope["path"]:  # a column of PostgreSQL holds none, and cannot even be asked for one
                raise PathNotFound("Nothing is served under this path: a NUL character is in it.")
            await self._app(scope, receive, answer.send)
        except Exception as error:
            if answer.status:
                raise
            await problems.render(_to_error(error), scope["path"])(scope, receive, answer.send)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._routes.template(scope)
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        self._requests.labels(self._service, method, route, str(status)).inc()
        self._seconds.labels(self._service, method, route).observe(seconds)
        if scope["path"] not in QUIET_PATHS:
            log.info("http_request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


def _to_error(error: Exception) -> XGetError:
    if isinstance(error, XGetError):
        return error
    log.exception("http_request_failed", error=type(error).__name__)
    return InternalError("Something went wrong on our side. The log has it under this request id.")


class _Answer:
    """Watches what is sent and adds the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if ACCEPTED_ID.fullmatch(given) else new_id()
