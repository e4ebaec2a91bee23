"""The event log contract on SQLite."""

from __future__ import annotations

from xget_testing.contracts.event_log import EventLogContract


class TestSqliteEventLog(EventLogContract):
    """The `house` fixture of conftest is the whole adapter."""
