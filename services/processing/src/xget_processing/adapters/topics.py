"""The topics of processing on an event log."""

from __future__ import annotations

import msgspec

from xget_contracts.events import FORGOTTEN, PAGES, PARSER_EVENTS, RESULTS
from xget_events.log import EventLog
from xget_events.topics import load_topics
from xget_processing.settings import Settings


async def create_topics(log: EventLog, settings: Settings) -> None:
    """Make the topics that processing uses, under the names that the settings give them."""
    names = {
        PAGES: settings.kafka_topic_pages,
        RESULTS: settings.kafka_topic_results,
        PARSER_EVENTS: settings.kafka_topic_parser_events,
        FORGOTTEN: settings.kafka_topic_forgotten,
    }
    await log.create_topics(
        [msgspec.structs.replace(spec, name=names[spec.name]) for spec in load_topics() if spec.name in names]
    )
