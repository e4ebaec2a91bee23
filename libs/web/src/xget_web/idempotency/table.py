"""Where answers are remembered."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table


def idempotency_table(metadata: MetaData) -> Table:
    """The table `idempotency_keys` of a service: one row per caller, operation and key, kept for a day."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("caller", String(64), primary_key=True),
        Column("operation", String(300), primary_key=True),
        Column("key", String(128), primary_key=True),
        Column("request_hash", String(64), nullable=False),
        Column("status", Integer, nullable=True),
        Column("headers", String(4000), nullable=True),
        Column("body", LargeBinary, nullable=True),
        Column("created_at", BigInteger, nullable=False),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )
