"""The event log on SQLite."""

from xget_events.sqlite.store import SqliteEventLog

__all__ = ["SqliteEventLog"]
