"""The topics of storage on an event log."""

from __future__ import annotations

import msgspec

from xget_contracts.events import FORGOTTEN, PAGES, RESULTS, STORED
from xget_events.log import EventLog
from xget_events.topics import load_topics
from xget_storage.settings import Settings


async def create_topics(log: EventLog, settings: Settings) -> None:
    """Make the topics that storage uses, under the names that the settings give them."""
    names = {
        PAGES: settings.kafka_topic_pages,
        RESULTS: settings.kafka_topic_results,
        STORED: settings.kafka_topic_stored,
        FORGOTTEN: settings.kafka_topic_forgotten,
    }
    await log.create_topics(
        [msgspec.structs.replace(spec, name=names[spec.name]) for spec in load_topics() if spec.name in names]
    )
