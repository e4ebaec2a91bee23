"""Messages that were handled already, for handlers that are not idempotent by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, cast

from sqlalchemy import Column, CursorResult, MetaData, String, Table, delete
from sqlalchemy.ext.asyncio import AsyncSession

from xget_db.types import UtcDateTime
from xget_db.upserts import insert


def inbox_columns() -> list[Column[Any]]:
    """Fresh columns, for `op.create_table("inbox", *inbox_columns())`."""
    return [
        Column("consumer", String(100), primary_key=True),
        Column("message_id", String(100), primary_key=True),
        Column("seen_at", UtcDateTime(), nullable=False, index=True),
    ]


def inbox_table(metadata: MetaData) -> Table:
    """The table `inbox` in `metadata`; one per service."""
    return Table("inbox", metadata, *inbox_columns())


_TABLE: Final = inbox_table(MetaData())


async def seen(session: AsyncSession, consumer: str, message_id: str) -> bool:
    """Whether `consumer` had the message before; remembers it with this transaction."""
    row = {"consumer": consumer, "message_id": message_id, "seen_at": datetime.now(UTC)}
    result = await session.execute(insert(session, _TABLE).values(row).on_conflict_do_nothing())
    return cast(CursorResult[Any], result).rowcount == 0


async def forget(session: AsyncSession, before: datetime) -> int:
    """Drop what was seen before that time and return how many rows; keep longer than the log keeps its messages."""
    result = await session.execute(delete(_TABLE).where(_TABLE.c.seen_at < before))
    return cast(CursorResult[Any], result).rowcount
