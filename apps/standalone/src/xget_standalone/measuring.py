"""Whether the engines that a part uses answer, as metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from xget_kernel.engines import Concern, EngineSettings
from xget_standalone.probes.answers import Silent
from xget_standalone.probes.probing import probe
from xget_telemetry.metrics import Registry
from xget_telemetry.standard import ENGINE_UP


def measure_engines(registry: Registry, settings: EngineSettings, concerns: Sequence[Concern]) -> None:
    """Ask the real engines of these concerns for each scrape; embedded ones are as up as the process itself."""
    real = [concern for concern in dict.fromkeys(concerns) if settings.is_real(concern)]

    async def up() -> dict[tuple[str, ...], float]:
        answers = await asyncio.gather(*(_answers(concern, settings) for concern in real))
        return {(concern, settings.engine_of(concern)): up for concern, up in zip(real, answers, strict=True)}

    if real:
        registry.sampled(ENGINE_UP, up)


async def _answers(concern: Concern, settings: EngineSettings) -> float:
    try:
        answer = await probe(concern, settings)
    except Silent:
        return 0.0
    return float(answer is not None and not answer.problem)
