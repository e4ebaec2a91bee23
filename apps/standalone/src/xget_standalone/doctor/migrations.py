"""Whether the tables of each service have the shape that this release expects."""

from __future__ import annotations

import asyncio

from xget_db.migrations import state
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import StartupError, XGetError
from xget_standalone.doctor.findings import Finding
from xget_standalone.services import PARTS


async def look_at_migrations(settings: EngineSettings) -> list[Finding]:
    """A finding per service with tables. Changes nothing."""
    names = [name for name, part in PARTS.items() if "tables" in part.serves]
    return [await asyncio.to_thread(_look, name, settings) for name in names]


def _look(service: str, settings: EngineSettings) -> Finding:
    embedded = not settings.is_real("tables") and not settings.database_url
    if embedded and not (settings.home / f"{service}.db").exists():
        return Finding(area="migrations", name=service, state="idle", says="It has no tables yet.")
    try:
        current, head = state(settings.tables(service), f"xget_{service}")
    except (StartupError, XGetError, OSError) as error:
        return Finding(area="migrations", name=service, state="wrong", says=str(error), advice="Mend that first.")
    facts = {"current": current, "head": head}
    if current == head:
        return Finding(area="migrations", name=service, state="ok", version=str(head), facts=facts)
    if current is None:
        return Finding(area="migrations", name=service, state="idle", says="It has no tables yet.", facts=facts)
    return Finding(
        area="migrations",
        name=service,
        state="wrong",
        version=current,
        says=f"Its tables are at {current}, this release wants {head}.",
        advice=f"Start `xget serve {service}` of this release, which upgrades them, or install the one that made them.",
        facts=facts,
    )
