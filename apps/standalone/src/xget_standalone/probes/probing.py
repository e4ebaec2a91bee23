"""Asks the engine of a concern."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from xget_kernel.engines import Concern, EngineSettings
from xget_standalone.probes.answers import Answer

PROBE_SECONDS = 2.0


async def probe(concern: Concern, settings: EngineSettings, seconds: float | None = None) -> Answer | None:
    """What the real engine of `concern` says; None when it is embedded. Raises Silent when it does not answer.

    Each engine's client is loaded only when it is asked.
    """
    if not settings.is_real(concern):
        return None
    return cast("Answer", await load(concern).probe(settings, seconds or PROBE_SECONDS))


def load(concern: Concern) -> Any:
    """The module that asks the engine of `concern`. The first time takes a while, which is no time of the engine's."""
    return import_module(f"xget_standalone.probes.{concern}")
