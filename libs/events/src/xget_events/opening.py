"""Opens the event log that the settings select."""

from __future__ import annotations

from xget_events.log import EventLog
from xget_events.sqlite import SqliteEventLog
from xget_kernel.engines import EngineSettings


def open_event_log(settings: EngineSettings) -> EventLog:
    """The log of this process, yet untouched: its first use opens the file, or connects. Close it at the end.

    Raises StartupError for Kafka settings that cannot work.
    """
    if settings.is_real("events"):
        # Who runs on a file needs no client of Kafka in memory.
        from xget_events.kafka import KafkaEventLog  # noqa: PLC0415 - as said

        return KafkaEventLog(settings)
    return SqliteEventLog(settings.home / "events.db")
