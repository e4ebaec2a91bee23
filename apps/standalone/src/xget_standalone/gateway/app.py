"""The embedded gateway: an ASGI app that does for each request what its route's plugins say."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as AsgiRoute
from starlette.types import Scope

from xget_cache.house import CacheHouse
from xget_kernel.breaker import Breaker
from xget_kernel.errors import NotFound, TooMany, Unauthenticated, XGetError
from xget_standalone.gateway import limits
from xget_standalone.gateway.config import (
    CorrelationId,
    GatewayConfig,
    Jwt,
    RateLimiting,
    RequestSizeLimiting,
    Route,
)
from xget_standalone.gateway.forward import BodyTooLarge, Forwarder
from xget_standalone.gateway.joined import JoinedDocument
from xget_telemetry import tracing
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.logs import get_logger
from xget_telemetry.metrics import CONTENT_TYPE, Registry
from xget_web.auth import TokenVerifier
from xget_web.docs import docs_page
from xget_web.health import Degraded
from xget_web.middleware.hosts import HostGuard
from xget_web.middleware.tracing import Traced
from xget_web.problems import render

log = get_logger(__name__)
ROUTE = "xget.route"
UNMATCHED = "unmatched"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class NoRoute(NotFound):
    """Nothing in kong.yml leads there."""

    code = "no_route"
    title = "No such path"


class RateLimited(TooMany):
    """A `rate-limiting` window is used up."""

    code = "rate_limited"
    title = "Too many requests"


class Gateway:
    """Answers one request. `ready` tells which services cannot work now, as sentences; `Degraded` ones can.

    `house` keeps the counters and the joined document; who opened it closes it. Raises StartupError when the
    configuration wants counters in Redis and the house is in memory.
    """

    def __init__(
        self,
        config: GatewayConfig,
        *,
        upstream: Callable[[str], str],
        verifier: TokenVerifier,
        house: CacheHouse,
        open_mode: bool,
        ready: Callable[[], Awaitable[list[str]]],
        registry: Registry | None = None,
    ) -> None:
        limits.check_policies(config, house)
        self.config = config
        self.forwarder = Forwarder(upstream)
        self.joined = JoinedDocument(sorted(config.upstreams), upstream, house.cache)
        self.registry = registry or Registry()
        watch_breakers(self.registry, self._breakers)
        tracing.count_losses(self.registry, "gateway")
        self._verifier = verifier
        self._house = house
        self._limits = limits.Limits(house.limiter)
        self.open_mode = open_mode
        self._ready = ready

    async def handle(self, request: Request) -> Response:
        """Route, check and forward; every refusal is problem+json with the request's id."""
        request_id = self._request_id(request)
        extra: dict[str, str] = {}
        try:
            response = await self._pass(request, request_id, extra)
        except XGetError as error:
            response = render(error, request.url.path)
        except Exception:
            log.exception("gateway_failed", path=request.url.path)
            response = render(XGetError("The gateway failed on this request; its log says why."), request.url.path)
        for name, value in extra.items():
            response.headers[name] = value
        named = self.config.plugins.get("correlation-id")
        if isinstance(named, CorrelationId) and named.echo_downstream:
            response.headers[named.header_name] = request_id
        return response

    async def _pass(self, request: Request, request_id: str, extra: dict[str, str]) -> Response:
        route = self.config.find(request.url.path, request.method)
        plugins = route.plugins if route else self.config.plugins
        request.scope[ROUTE] = route.name if route else UNMATCHED
        await self._count(request, route.name if route else "", plugins.get("rate-limiting"), extra)
        if route is None:
            raise NoRoute(f"Nothing is at {request.url.path}. See /docs for what is.")
        limit = self._size(request, plugins.get("request-size-limiting"))
        if isinstance(plugins.get("jwt"), Jwt):
            await self._verify(request)
        return await self.forwarder.send(request, route.service, request_id, limit)

    def _request_id(self, request: Request) -> str:
        plugin = self.config.plugins.get("correlation-id")
        name = plugin.header_name if isinstance(plugin, CorrelationId) else "X-Request-ID"
        given = request.headers.get(name, "")
        return given if given.isascii() and given.isprintable() and 0 < len(given) <= 128 else str(uuid.uuid4())

    async def _count(self, request: Request, rule: str, plugin: object, extra: dict[str, str]) -> None:
        if not isinstance(plugin, RateLimiting):
            return
        address = request.client.host if request.client else ""
        token = request.headers.get("authorization", "") if plugin.limit_by == "consumer" else ""
        verdict = await self._limits.take(rule, plugin, address=address, token=token)
        if verdict is None:
            return
        extra.update(limits.headers(verdict))
        if not verdict.allowed:
            detail = f"More than {verdict.limit} requests; try again in {verdict.reset_seconds} s."
            raise RateLimited(detail, retry_after=verdict.reset_seconds)

    def _size(self, request: Request, plugin: object) -> int | None:
        if not isinstance(plugin, RequestSizeLimiting):
            return None
        declared = request.headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > plugin.limit_bytes:
            raise BodyTooLarge(f"The body is larger than {plugin.limit_bytes} bytes; send it in smaller parts.")
        return plugin.limit_bytes

    async def _verify(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token or scheme.lower() != "bearer":
            if self.open_mode and not scheme:
                return
            raise Unauthenticated(
                "Send an access token: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
            )
        await self._verifier.verify(token.strip())

    def _breakers(self) -> list[Breaker]:
        return [*self.forwarder.breakers, *([self._house.breaker] if self._house.breaker else [])]

    async def openapi(self, request: Request) -> Response:
        """All services in one document."""
        try:
            return Response(await self.joined.get(), media_type="application/json")
        except XGetError as error:
            return render(error, request.url.path)

    async def readyz(self, _: Request) -> Response:
        """200 when every service can do its job now, 503 with the reasons otherwise; says what is degraded."""
        found, own = await asyncio.gather(self._ready(), self._house.degraded())
        reasons = [reason for reason in found if not isinstance(reason, Degraded)]
        resting = [sentence for one in self.forwarder.breakers if (sentence := one.trouble())]
        degraded = [reason for reason in (*found, own, *resting) if reason and reason not in reasons]
        body: dict[str, object] = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse({**body, "degraded": degraded} if degraded else body, status_code=503 if reasons else 200)

    async def metrics(self, _: Request) -> Response:
        """What Prometheus reads."""
        return Response(await self.registry.scrape(), media_type=CONTENT_TYPE)


def create_gateway(gateway: Gateway) -> Starlette:
    """The ASGI app of a gateway."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def docs(_: Request) -> Response:
        return docs_page("/openapi.json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.forwarder.close()
        await gateway.joined.close()

    own = [
        AsgiRoute("/healthz", healthz),
        AsgiRoute("/readyz", gateway.readyz),
        AsgiRoute("/metrics", gateway.metrics),
        AsgiRoute("/openapi.json", gateway.openapi),
        AsgiRoute("/docs", docs),
        AsgiRoute("/{path:path}", gateway.handle, methods=METHODS),
    ]
    guards = [Middleware(HostGuard)] if gateway.open_mode else []
    tracer = tracing.of("gateway")
    if tracer.on:
        guards.insert(0, Middleware(Traced, tracer=tracer, route=_route_of))
    return Starlette(routes=own, lifespan=lifespan, middleware=guards)


def _route_of(scope: Scope) -> str:
    return str(scope.get(ROUTE, UNMATCHED))


__all__ = ["Gateway", "Route", "create_gateway"]
