"""Carries a request to its service and the answer back, streaming both."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx2 as httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from xget_kernel.breaker import Breaker, CircuitOpen
from xget_kernel.errors import TooLarge, Unavailable
from xget_telemetry import tracing

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
TIMEOUT = httpx.Timeout(60.0, connect=5.0, read=None)
"""No read limit: an event stream is silent between its heartbeats; services keep their own deadlines."""
ANSWER_SECONDS: Final = 60.0
"""Until the first line of an answer; a service that hangs is a service that is down."""
PAUSES: Final = (0.05, 0.2)
"""Seconds before the second and the third try, at most."""
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
DIED = (*NEVER_SENT, httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError, TimeoutError)
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class UpstreamDown(Unavailable):
    """The service behind the gateway does not answer."""

    code = "upstream_down"
    title = "The service is not answering"


class BodyTooLarge(TooLarge):
    """More than `request-size-limiting` allows."""

    code = "body_too_large"
    title = "The body is too large"


class Forwarder:
    """One HTTP client and a breaker for each service. `upstream` gives a service's base URL.

    A request that was never sent is tried again, one that was sent only when it is safe to repeat.
    """

    def __init__(self, upstream: Callable[[str], str]) -> None:
        self._upstream = upstream
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, limits=limits)
        self._breakers: dict[str, Breaker] = {}

    @property
    def breakers(self) -> list[Breaker]:
        """Of the services that were asked for so far."""
        return list(self._breakers.values())

    async def send(self, request: Request, service: str, request_id: str, limit: int | None) -> Response:
        """Forward to `service`; raises UpstreamDown (503) or BodyTooLarge (413)."""
        outgoing = self._client.build_request(
            request.method,
            self._target(request, service),
            headers=self._headers(request, request_id),
            content=_limited(request, limit) if _has_body(request) else None,
        )
        breaker = self._breaker_of(service)
        try:
            with breaker.guard():
                answer = await self._deliver(outgoing)
        except (CircuitOpen, httpx.HTTPError, TimeoutError) as error:
            wait = breaker.retry_after
            detail = f"The {service} service does not answer; try again in {wait} s."
            raise UpstreamDown(detail, headers={"Retry-After": str(wait)}) from error
        response = StreamingResponse(_body(answer), status_code=answer.status_code)
        response.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        return response

    def _breaker_of(self, service: str) -> Breaker:
        if service not in self._breakers:
            self._breakers[service] = Breaker(f"The {service} service", failures=DIED)
        return self._breakers[service]

    async def _deliver(self, outgoing: httpx.Request) -> httpx.Response:
        may_repeat = outgoing.method in SAFE_METHODS and "content-length" not in outgoing.headers
        for longest in PAUSES:
            try:
                return await self._send(outgoing)
            except DIED as error:
                if isinstance(error, TimeoutError) or not (may_repeat or isinstance(error, NEVER_SENT)):
                    raise
            await asyncio.sleep(random.uniform(0.2, 1.0) * longest)
        return await self._send(outgoing)

    async def _send(self, outgoing: httpx.Request) -> httpx.Response:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._client.send(outgoing, stream=True)

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
