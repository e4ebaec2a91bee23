"""/healthz, /readyz and /metrics of every app."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xget_kernel.errors import XGetError
from xget_telemetry import logs
from xget_telemetry.metrics import CONTENT_TYPE, Registry
from xget_web import problems
from xget_web.errors import NotReady

Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else a sentence about what is not."""

CHECK_SECONDS = 3.0

log = logs.get_logger(__name__)


def add_health(app: FastAPI, checks: Sequence[Check], registry: Registry) -> None:
    """Add the three routes; they need no token and are not in OpenAPI."""

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        wrong = [sentence for sentence in await asyncio.gather(*map(_run, checks)) if sentence]
        if wrong:
            return problems.render(NotReady(" ".join(wrong)), request.url.path)
        return JSONResponse({"status": "ready"})

    async def metrics(_request: Request) -> Response:
        return Response(registry.render(), media_type=CONTENT_TYPE)

    app.add_route("/healthz", alive, include_in_schema=False)
    app.add_route("/readyz", ready, include_in_schema=False)
    app.add_route("/metrics", metrics, include_in_schema=False)


async def _run(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except XGetError as error:
        return error.detail
    except TimeoutError:
        return f"A check did not answer within {CHECK_SECONDS:.0f} seconds."
    except Exception:
        log.exception("readiness_check_failed")
        return "A check failed; the log says why."
