"""What a worker's process serves to those who watch it: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

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
DISPENSABLE: Final[frozenset[Concern]] = frozenset({"search", "cache"})
"""Work goes on without their engines."""


class Found(NamedTuple):
    """Sentences for everything that is wrong, and for what works less well while the worker can work."""

    reasons: list[str]
    degraded: list[str]


class Watch:
    """Why a worker cannot work now, or not as it should.

    `begun` is set when the worker works, `degraded` gives its own sentences, `trouble` what its event log says is
    wrong.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        concerns: Sequence[Concern],
        job: asyncio.Task[None],
        *,
        begun: asyncio.Event,
        degraded: Callable[[], Mapping[str, str]],
        trouble: Callable[[], str | None],
    ) -> None:
        self._settings = settings
        self._concerns = concerns
        self._job = job
        self._begun = begun
        self._degraded = degraded
        self._trouble = trouble
        self._asking = asyncio.Lock()
        self._kept: dict[Concern, str] = {}
        self._asked = -KEPT_SECONDS

    async def found(self) -> Found:
        """What is wrong; both empty when the worker can work as it should."""
        if self._job.done():
            return Found(["The worker has ended."], [])
        async with self._asking:
            if time.monotonic() - self._asked >= KEPT_SECONDS:
                answers = await asyncio.gather(*(self._ask(concern) for concern in self._concerns))
                self._kept = {concern: said for concern, said in zip(self._concerns, answers, strict=True) if said}
                self._asked = time.monotonic()
        degraded: dict[str, str] = {
            concern: f"{concern.capitalize()} is away: {said}"
            for concern, said in self._kept.items()
            if concern in DISPENSABLE
        }
        reasons = [said for concern, said in self._kept.items() if concern not in DISPENSABLE]
        if said := self._trouble():
            reasons.append(said)
        if not (reasons or self._begun.is_set()):
            reasons.append("The worker is still starting.")
        return Found(reasons, list({**degraded, **self._degraded()}.values()))

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
        reasons, degraded = await watch.found()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse(
            {**body, **({"degraded": degraded} if degraded else {})}, status_code=503 if reasons else 200
        )

    async def metrics(_: Request) -> Response:
        return Response(await registry.scrape(), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/healthz", alive), Route("/readyz", ready), Route("/metrics", metrics)])
