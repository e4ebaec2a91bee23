"""Puts pages into the log of a node as its scraper would."""

from __future__ import annotations

from pathlib import Path

from xget_contracts.events import PAGES, PageCollected
from xget_events.codec import message
from xget_events.sqlite import SqliteEventLog
from xget_events.topics import load_topics


async def publish(path: Path, page: PageCollected) -> None:
    """Put a page into the log as the scraper would."""
    log = SqliteEventLog(path)
    await log.create_topics(load_topics())
    await log.publish([message(PAGES, page.execution_id, page, source="scraper", now=page.fetched_at)])
    await log.close()
