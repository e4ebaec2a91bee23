"""The whole check-up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from xget_kernel.settings import ServiceSettings
from xget_standalone.doctor.engines import look_at_engines
from xget_standalone.doctor.events import look_at_events
from xget_standalone.doctor.findings import Finding
from xget_standalone.doctor.machine import look_at_home
from xget_standalone.doctor.migrations import look_at_migrations
from xget_standalone.doctor.outboxes import look_at_outboxes
from xget_standalone.doctor.running import engines_of_running
from xget_standalone.doctor.secrets import look_at_secrets
from xget_standalone.doctor.services import look_at_services


async def check_up(home: Path | None, gateway: str | None = None) -> list[Finding]:
    """Everything that can be looked at from here, whether it runs or not. Raises StartupError for wrong settings.

    `gateway` is its URL; without one, that of the cluster on the home folder, or the default. Engines are those of this
    environment, or, when it selects none, of what runs on the home folder.
    """
    given: dict[str, Any] = {"home": home} if home else {}
    settings = ServiceSettings(**given, **engines_of_running(ServiceSettings(**given).home))
    engines = await look_at_engines(settings)
    down = {finding.name for finding in engines if finding.area == "engine" and finding.state == "wrong"}
    parts = await asyncio.gather(
        look_at_migrations(settings) if "tables" not in down else _nothing(),
        look_at_outboxes(settings) if "tables" not in down else _nothing(),
        look_at_secrets(settings) if "tables" not in down else _nothing(),
        look_at_events(settings) if "events" not in down else _nothing(),
        look_at_services(settings, gateway),
    )
    return [*engines, look_at_home(settings.home), *(finding for part in parts for finding in part)]


async def _nothing() -> list[Finding]:
    return []
