"""What a worker's process serves to those who watch it: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xget_kernel.engines import Concern
from xget_kernel.errors import StartupError
from xget_kernel.settings import ServiceSettings
from xget_standalone.probes.answers import Silent
from xget_standalone.probes.probing import probe
from xget_telemetry.metrics import CONTENT_TYPE, Registry

KEPT_SECONDS = 2.0
"""Engines are asked at most so often, whoever asks us."""


class Watch:
    """Why a worker cannot work now."""

    def __init__(self, settings: ServiceSettings, concerns: Sequence[Concern], job: asyncio.Task[None]) -> None:
        self._settings = settings
        self._concerns = concerns
        self._job = job
        self._asking = asyncio.Lock()
        self._kept: list[str] = []
        self._asked = -KEPT_SECONDS

    async def reasons(self) -> list[str]:
        """A sentence for everything that is wrong; empty when the worker can work."""
        if self._job.done():
            return ["The worker has ended."]
        async with self._asking:
            if time.monotonic() - self._asked >= KEPT_SECONDS:
                found = await asyncio.gather(*(self._ask(concern) for concern in self._concerns))
                self._kept = [reason for reason in found if reason]
                self._asked = time.monotonic()
            return self._kept

    async def _ask(self, concern: Concern) -> str:
        try:
            answer = await probe(concern, self._settings)
        except (Silent, StartupError) as error:
            return str(error)
        return answer.problem if answer else ""


def watching_app(watch: Watch, registry: Registry) -> Starlette:
    """The three routes."""

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        reasons = await watch.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse(body, status_code=503 if reasons else 200)

    async def metrics(_: Request) -> Response:
        return Response(await registry.scrape(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)])
