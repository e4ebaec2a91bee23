"""All topics of the release on an event log, under the names that the settings give them."""

from __future__ import annotations

import msgspec

from xget_contracts.events import ACCOUNT_EVENTS, FORGOTTEN, PAGES, PARSER_EVENTS, PROXY_EVENTS, RESULTS, STORED, TASKS
from xget_events.log import EventLog, TopicSpec
from xget_events.topics import load_topics
from xget_kernel.settings import ServiceSettings


def named_topics(settings: ServiceSettings) -> list[TopicSpec]:
    """The topics as the settings call them."""
    names = {
        TASKS: settings.kafka_topic_tasks,
        PAGES: settings.kafka_topic_pages,
        RESULTS: settings.kafka_topic_results,
        STORED: settings.kafka_topic_stored,
        PARSER_EVENTS: settings.kafka_topic_parser_events,
        FORGOTTEN: settings.kafka_topic_forgotten,
        ACCOUNT_EVENTS: settings.kafka_topic_account_events,
        PROXY_EVENTS: settings.kafka_topic_proxy_events,
    }
    return [msgspec.structs.replace(spec, name=names.get(spec.name, spec.name)) for spec in load_topics()]


async def create_topics(log: EventLog, settings: ServiceSettings) -> None:
    """Make those that are missing."""
    await log.create_topics(named_topics(settings))
