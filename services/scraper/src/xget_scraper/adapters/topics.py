"""The scraper's topics on an event log."""

from __future__ import annotations

import msgspec

from xget_contracts.events import ACCOUNT_EVENTS, PAGES, STORED, TASKS
from xget_events.log import EventLog
from xget_events.topics import load_topics
from xget_scraper.settings import Settings


async def create_topics(log: EventLog, settings: Settings) -> None:
    """Make the topics that the scraper uses, under the names that the settings give them."""
    names = {
        TASKS: settings.kafka_topic_tasks,
        PAGES: settings.kafka_topic_pages,
        STORED: settings.kafka_topic_stored,
        ACCOUNT_EVENTS: settings.kafka_topic_account_events,
    }
    await log.create_topics(
        [msgspec.structs.replace(spec, name=names[spec.name]) for spec in load_topics() if spec.name in names]
    )
