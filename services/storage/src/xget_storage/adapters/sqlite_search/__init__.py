"""Full-text search in SQLite."""

from xget_storage.adapters.sqlite_search.index import SqliteSearch

__all__ = ["SqliteSearch"]
