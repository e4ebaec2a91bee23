"""The table of messages that wait to be published."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

from xget_db.types import JsonDict, UtcDateTime


def outbox_columns() -> list[Column[Any]]:
    """Fresh columns, for `op.create_table("outbox", *outbox_columns(), sqlite_autoincrement=True)`."""
    return [
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("topic", String(200), nullable=False),
        Column("key", String(200), nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("headers", JsonDict(), nullable=False),
        Column("created_at", UtcDateTime(), nullable=False),
    ]


def outbox_table(metadata: MetaData) -> Table:
    """The table `outbox` in `metadata`; one per service. Its ids grow in the order of the commits."""
    return Table("outbox", metadata, *outbox_columns(), sqlite_autoincrement=True)
