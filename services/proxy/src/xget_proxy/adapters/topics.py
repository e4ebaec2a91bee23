"""The topic of the proxy service on an event log."""

from __future__ import annotations

import msgspec

from xget_contracts.events import PROXY_EVENTS
from xget_events.log import EventLog
from xget_events.topics import load_topics
from xget_proxy.settings import Settings


async def create_topics(log: EventLog, settings: Settings) -> None:
    """Make the topic of proxy events, under the name that the settings give it."""
    specs = [spec for spec in load_topics() if spec.name == PROXY_EVENTS]
    await log.create_topics([msgspec.structs.replace(spec, name=settings.kafka_topic_proxy_events) for spec in specs])
