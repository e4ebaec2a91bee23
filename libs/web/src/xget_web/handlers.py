"""Every exception that reaches the framework becomes a problem."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from xget_kernel.errors import XGetError
from xget_web import problems
from xget_web.errors import BodyRefused, MalformedBody, MethodNotAllowed, PathNotFound
from xget_web.idempotency.replay import Replay
from xget_web.routes import RouteTable
from xget_web.validation import to_error

Handler = Callable[[Request, Any], Awaitable[Response]]


def install(app: FastAPI, routes: RouteTable) -> None:
    """Register the handlers of an app."""
    app.add_exception_handler(XGetError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Replay, _replay)
    app.add_exception_handler(HTTPException, _chosen_by_framework(routes))


async def _known(request: Request, error: Exception) -> Response:
    return problems.render(cast(XGetError, error), request.url.path)


async def _invalid(request: Request, error: Exception) -> Response:
    return problems.render(to_error(cast(RequestValidationError, error)), request.url.path)


async def _replay(request: Request, error: Exception) -> Response:
    return cast(Replay, error).response()


def _chosen_by_framework(routes: RouteTable) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        found = cast(HTTPException, error)
        known = _translate(found, request, routes)
        if known is not None:
            return problems.render(known, request.url.path)
        return problems.render_status(found.status_code, request.url.path, found.headers)

    return handle


def _translate(error: HTTPException, request: Request, routes: RouteTable) -> XGetError | None:
    path = request.url.path
    if isinstance(error, BodyRefused):
        return error.error
    if error.status_code == HTTPStatus.NOT_FOUND:
        return PathNotFound("Nothing is served under this path. See /docs for what is.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(routes.methods(path))
        return MethodNotAllowed(f"This path allows only {allowed}.", headers={"Allow": allowed})
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return MalformedBody("The body could not be read as what its content type says.")
    return None
