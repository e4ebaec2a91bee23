"""The table that keeps wrapped data keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from xget_db.types import UtcDateTime


def data_keys_columns() -> list[Column[Any]]:
    """A key never lies here in plain text: only what a key-encryption key made of it."""
    return [
        Column("id", String(64), primary_key=True),
        Column("position", Integer, nullable=False),  # oldest first
        Column("wrapped", Text, nullable=False),
        Column("retired_at", UtcDateTime),  # it opens nothing since then, and can be restored
    ]


def data_keys_table(metadata: MetaData) -> Table:
    """The table `data_keys` in `metadata`; one per service that keeps secrets."""
    return Table("data_keys", metadata, *data_keys_columns())
