"""/healthz, /readyz and /metrics of every app."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xget_kernel.errors import XGetError
from xget_telemetry import logs
from xget_telemetry.metrics import CONTENT_TYPE, Registry
from xget_telemetry.standard import READY
from xget_web import problems
from xget_web.errors import NotReady


class Degraded(str):
    """A check's sentence about something that works less well, while the service can still do its job."""

    __slots__ = ()


Check = Callable[[], Awaitable[str | None]]
"""Answers None when all is well, else a sentence about what is not; `Degraded` when work goes on all the same."""

CHECK_SECONDS = 2.0

log = logs.get_logger(__name__)


def add_health(app: FastAPI, service: str, checks: Sequence[Check], registry: Registry) -> None:
    """Add the three routes; they need no token and are not in OpenAPI."""

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        found = await asyncio.gather(*map(_run, checks))
        wrong = [sentence for sentence in found if sentence and not isinstance(sentence, Degraded)]
        if wrong:
            return problems.render(NotReady(" ".join(wrong)), request.url.path)
        degraded = [sentence for sentence in found if sentence]
        return JSONResponse({"status": "ready", **({"degraded": degraded} if degraded else {})})

    async def metrics(_request: Request) -> Response:
        return Response(await registry.scrape(), media_type=CONTENT_TYPE)

    async def readiness() -> dict[tuple[str, ...], float]:
        found = await asyncio.gather(*map(_run, checks))
        return {(service,): float(not any(s for s in found if s and not isinstance(s, Degraded)))}

    registry.sampled(READY, readiness)

    app.add_route("/healthz", alive, include_in_schema=False)
    app.add_route("/readyz", ready, include_in_schema=False)
    app.add_route("/metrics", metrics, include_in_schema=False)


async def _run(check: Check) -> str | None:
    name = getattr(check, "__name__", "unnamed").replace("_", " ").strip()
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except XGetError as error:
        return error.detail
    except TimeoutError:
        return f"The check {name!r} did not answer within {CHECK_SECONDS:.0f} seconds."
    except Exception:
        log.exception("readiness_check_failed", check=name)
        return f"The check {name!r} failed; the log says why."
