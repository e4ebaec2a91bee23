"""Opens the event log that the settings select."""

from __future__ import annotations

from xget_events.log import EventLog
from xget_events.sqlite import SqliteEventLog
from xget_kernel.engines import EngineSettings


def open_event_log(settings: EngineSettings) -> EventLog:
    """The log of this process, yet untouched: the first use opens its file. Close it at the end."""
    return SqliteEventLog(settings.home / "events.db")
