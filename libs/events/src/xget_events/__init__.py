"""The event log port, its SQLite adapter and the consumer runner."""
