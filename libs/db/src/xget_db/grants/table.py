"""The table of who may use whose pool."""

from __future__ import annotations

from typing import Any, Final

from alembic.operations import Operations
from sqlalchemy import Column, Index, MetaData, String, Table

from xget_db.types import UtcDateTime

GRANTS: Final = "pool_grants"
_INDEXES: Final = (("grantee_id", "owner_id"), ("owner_id", "id"))


def grant_columns() -> list[Column[Any]]:
    """Fresh columns. `platform` and `subject_id` are empty for all of the owner's."""
    return [
        Column("id", String(36), primary_key=True),
        Column("owner_id", String(64), nullable=False),
        Column("grantee_id", String(64), nullable=False),
        Column("platform", String(32), nullable=False),
        Column("subject_id", String(36), nullable=False),
        Column("granted_by", String(64), nullable=False),
        Column("granted_at", UtcDateTime(), nullable=False),
        Column("expires_at", UtcDateTime()),
        Column("revoked_at", UtcDateTime()),
        Column("revoked_by", String(64)),
    ]


def grants_table(metadata: MetaData) -> Table:
    """The table `pool_grants` in `metadata`; one per service that lends."""
    indexes = [Index(_named(columns), *columns) for columns in _INDEXES]
    return Table(GRANTS, metadata, *grant_columns(), *indexes)


def make_grants(op: Operations) -> None:
    """Make the table, in a migration."""
    op.create_table(GRANTS, *grant_columns())
    for columns in _INDEXES:
        op.create_index(_named(columns), GRANTS, list(columns))


def _named(columns: tuple[str, ...]) -> str:
    return f"ix_{GRANTS}_{'_'.join(columns)}"
