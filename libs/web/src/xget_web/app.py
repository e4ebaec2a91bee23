"""Builds the HTTP app of a service: the same edge everywhere."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from xget_kernel.settings import ServiceSettings
from xget_telemetry import tracing
from xget_telemetry.metrics import Registry
from xget_web import docs, handlers, openapi
from xget_web.health import Check, add_health
from xget_web.middleware.bodies import BodyGuard
from xget_web.middleware.edge import Edge
from xget_web.middleware.hosts import HostGuard
from xget_web.middleware.tracing import Traced
from xget_web.routes import RouteTable
from xget_web.state import Verifier, WebState

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

VERSION = "0.1.0"


class XGetApp(FastAPI):
    """FastAPI whose OpenAPI document names every status that can occur."""

    open_mode = False

    def openapi(self) -> dict[str, Any]:
        """The completed document; made once."""
        if not self.openapi_schema:
            openapi.complete(super().openapi(), open_mode=self.open_mode)
        return super().openapi()


def build_app(
    *,
    service: str,
    title: str,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    verifier: Verifier | None,
    lifespan: Lifespan | None = None,
    readiness: Sequence[Check] = (),
    tags: Sequence[dict[str, Any]] = (),
    description: str = "",
    registry: Registry | None = None,
) -> FastAPI:
    """An app with these routers, problem+json for every error, health, metrics, OpenAPI and docs.

    `lifespan` builds what the service needs and puts it on `app.state.<service>`; `readiness` checks answer None or a
    sentence. Without `verifier` every token is refused.
    """
    registry = registry or Registry()
    tracing.count_losses(registry, service)
    app = XGetApp(
        title=title,
        description=description,
        version=VERSION,
        openapi_tags=list(tags),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=_operation_ids(service),
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.open_mode = settings.open_mode
    app.state.xget_web = WebState(service, settings.open_mode, verifier, registry)
    routes = RouteTable(app)
    app.user_middleware.extend(_middleware(service, settings, routes, registry))
    handlers.install(app, routes)
    add_health(app, service, readiness, registry)
    app.add_route("/docs", _docs, include_in_schema=False)
    for router in routers:
        app.include_router(router)
    return app


def _middleware(service: str, settings: ServiceSettings, routes: RouteTable, registry: Registry) -> list[Middleware]:
    hosts = [Middleware(HostGuard)] if settings.open_mode else []
    tracer = tracing.of(service)
    traced = [Middleware(Traced, tracer=tracer, route=routes.template)] if tracer.on else []
    return [
        *traced,
        Middleware(Edge, service=service, routes=routes, registry=registry),
        *hosts,
        Middleware(BodyGuard, max_bytes=settings.max_body_bytes),
    ]


def _operation_ids(service: str) -> Callable[[APIRoute], str]:
    def operation_id(route: APIRoute) -> str:
        return f"{service}_{route.name}"

    return operation_id


async def _docs(_request: Request) -> Response:
    return docs.docs_page("/openapi.json")
