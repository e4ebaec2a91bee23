"""The table of who did, changed or saw what. Rows are added and, when they are old, removed; never changed."""

from __future__ import annotations

from typing import Any, Final

from alembic.operations import Operations
from sqlalchemy import Column, Index, MetaData, String, Table

from xget_db.types import JsonDict, UtcDateTime

AUDIT: Final = "audit"
_INDEXES: Final = (("owner_id", "id"), ("subject_id", "id"), ("actor", "id"), ("at",))


def audit_columns() -> list[Column[Any]]:
    """Fresh columns. `id` is a UUIDv7: it grows with time."""
    return [
        Column("id", String(36), primary_key=True),
        Column("at", UtcDateTime(), nullable=False),
        Column("actor", String(128), nullable=False),
        Column("via", String(16), nullable=False),
        Column("action", String(64), nullable=False),
        Column("subject_kind", String(16), nullable=False),
        Column("subject_id", String(64), nullable=False),
        Column("owner_id", String(64), nullable=False),
        Column("details", JsonDict(), nullable=False),
        Column("request_id", String(128), nullable=False),
        Column("trace_id", String(32), nullable=False),
    ]


def audit_table(metadata: MetaData) -> Table:
    """The table `audit` in `metadata`; one per service."""
    indexes = [Index(_named(columns), *columns) for columns in _INDEXES]
    return Table(AUDIT, metadata, *audit_columns(), *indexes)


def make_audit(op: Operations) -> None:
    """Make the table, in a migration."""
    op.create_table(AUDIT, *audit_columns())
    for columns in _INDEXES:
        op.create_index(_named(columns), AUDIT, list(columns))


def _named(columns: tuple[str, ...]) -> str:
    return f"ix_audit_{'_'.join(columns)}"
