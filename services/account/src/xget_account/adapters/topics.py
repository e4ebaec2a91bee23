"""The topic of the account service on an event log."""

from __future__ import annotations

import msgspec

from xget_account.settings import Settings
from xget_contracts.events import ACCOUNT_EVENTS
from xget_events.log import EventLog
from xget_events.topics import load_topics


async def create_topics(log: EventLog, settings: Settings) -> None:
    """Make the topic of account events, under the name that the settings give it."""
    name = settings.kafka_topic_account_events
    specs = [spec for spec in load_topics() if spec.name == ACCOUNT_EVENTS]
    await log.create_topics([msgspec.structs.replace(spec, name=name) for spec in specs])
