"""Documents in SQLite."""

from xget_storage.adapters.sqlite_documents.store import SqliteDocuments

__all__ = ["SqliteDocuments"]
