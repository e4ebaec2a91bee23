"""Carries a request to its service and the answer back, streaming both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx2 as httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from xget_kernel.errors import TooLarge, Unavailable
from xget_telemetry import tracing

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
TIMEOUT = httpx.Timeout(60.0, connect=5.0, read=None)
"""No read limit: an event stream is silent between its heartbeats; services keep their own deadlines."""


class UpstreamDown(Unavailable):
    """The service behind the gateway does not answer."""

    code = "upstream_down"
    title = "The service is not answering"


class BodyTooLarge(TooLarge):
    """More than `request-size-limiting` allows."""

    code = "body_too_large"
    title = "The body is too large"


class Forwarder:
    """One HTTP client for all services. `upstream` gives a service's base URL."""

    def __init__(self, upstream: Callable[[str], str]) -> None:
        self._upstream = upstream
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, limits=limits)

    async def send(self, request: Request, service: str, request_id: str, limit: int | None) -> Response:
        """Forward to `service`; raises UpstreamDown (503) or BodyTooLarge (413)."""
        outgoing = self._client.build_request(
            request.method,
            self._target(request, service),
            headers=self._headers(request, request_id),
            content=_limited(request, limit) if _has_body(request) else None,
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.HTTPError as error:
            raise UpstreamDown(f"The {service} service does not answer; try again in a moment.") from error
        response = StreamingResponse(_body(answer), status_code=answer.status_code)
        response.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        return response

    def _target(self, request: Request, service: str) -> str:
        raw_path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").split("?")[0]
        query = request.scope["query_string"].decode("latin-1")
        return f"{self._upstream(service)}{raw_path}{'?' + query if query else ''}"

    def _headers(self, request: Request, request_id: str) -> list[tuple[bytes, bytes]]:
        skip = {"host", "x-request-id", "x-forwarded-for"} | HOP_BY_HOP
        kept = [(k, v) for k, v in request.headers.raw if k.decode("latin-1").lower() not in skip]
        client = request.client.host if request.client else ""
        context = tracing.traceparent()
        if context is not None:
            kept = [(k, v) for k, v in kept if k.lower() != b"traceparent"] + [(b"traceparent", context.encode())]
        return [*kept, (b"x-request-id", request_id.encode()), (b"x-forwarded-for", client.encode())]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


async def _limited(request: Request, limit: int | None) -> AsyncIterator[bytes]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if limit is not None and seen > limit:
            raise BodyTooLarge(f"The body is larger than {limit} bytes; send it in smaller parts.")
        yield chunk


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
