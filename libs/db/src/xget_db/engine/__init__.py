"""Sessions on one service's database, SQLite or PostgreSQL."""

from xget_db.engine.database import Database

__all__ = ["Database"]
