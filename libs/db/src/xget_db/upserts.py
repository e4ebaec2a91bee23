"""`INSERT … ON CONFLICT` on every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.locks import is_postgres

Insert = postgresql.Insert | sqlite.Insert


def insert(session: AsyncSession, table: Any) -> Insert:
    """An insert with `on_conflict_do_nothing`, `on_conflict_do_update` and `excluded`, for the session's database.

    Give several rows in the order of their keys: each conflict waits for the transaction that has the row.
    """
    return insert_into(table, postgres=is_postgres(session))


def insert_into(table: Any, *, postgres: bool) -> Insert:
    """As `insert`, where it is known which database it is for."""
    return postgresql.insert(table) if postgres else sqlite.insert(table)
