"""Messages of committed transactions that stand aside, because the event log will never take them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from xget_db.engine import Database
from xget_db.outbox import Aside, outbox_table
from xget_kernel.engines import EngineSettings
from xget_kernel.errors import XGetError
from xget_standalone.doctor.findings import Finding

ANNOUNCING: Final = ("scraper", "processing", "account", "proxy")
"""Services with an outbox."""


async def look_at_outboxes(settings: EngineSettings) -> list[Finding]:
    """A finding per outbox that holds refused messages. Changes nothing."""
    found = [await _look(service, settings) for service in ANNOUNCING]
    return [finding for finding in found if finding]


async def _look(service: str, settings: EngineSettings) -> Finding | None:
    if not (settings.is_real("tables") or settings.database_url or (settings.home / f"{service}.db").exists()):
        return None
    aside, database = Aside(outbox_table(MetaData())), Database(settings.tables(service))
    try:
        async with database.read() as session:
            count, oldest = await aside.count(session), await aside.oldest(session, 1)
    except (SQLAlchemyError, XGetError, OSError):
        return None  # no tables yet, or what the check of the migrations tells
    finally:
        await database.close()
    if not oldest:
        return None
    _, topic, reason = oldest[0]
    return Finding(
        area="outbox",
        name=service,
        state="wrong",
        says=f"{count} messages stand aside, the first for {topic}: {reason}",
        advice=f"Raise the limit of {topic}, then start {service} anew, which tries them again.",
        facts={"refused": count},
    )
