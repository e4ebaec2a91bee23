"""SQL of authors who were taken down, and of all rows that hold payloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from xget_contracts.events import AuthorForgotten
from xget_db.upserts import insert
from xget_processing.models import ForgottenAuthor, FrozenPage, QuarantinedPage, QuarantinedRecord

PageTable = type[QuarantinedPage] | type[FrozenPage]
PAGE_TABLES: Final[tuple[PageTable, ...]] = (QuarantinedPage, FrozenPage)
PageKey = tuple[str, int, int]
"""Execution id, page number, attempt."""


class ForgettingRepository:
    """Bans, and what has to be looked through."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def bans(self) -> list[tuple[str, str]]:
        """Platform and id of the authors who stay away."""
        query = select(ForgottenAuthor.platform, ForgottenAuthor.author_id).where(ForgottenAuthor.active)
        return [(platform, author_id) for platform, author_id in await self._session.execute(query)]

    async def decide(self, event: AuthorForgotten) -> bool:
        """Take over a decision, unless a later one is known; whether the author stays away now."""
        row = {"platform": event.platform, "author_id": event.author_id, "active": not event.lifted, "at": event.at}
        fresh = insert(self._session, ForgottenAuthor)
        await self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=["platform", "author_id"],
                set_={"active": fresh.excluded.active, "at": fresh.excluded.at},
                where=ForgottenAuthor.at <= fresh.excluded.at,
            ),
            [row],
        )
        where = (ForgottenAuthor.platform == event.platform) & (ForgottenAuthor.author_id == event.author_id)
        return bool(await self._session.scalar(select(ForgottenAuthor.active).where(where)))

    async def records(self, platform: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        """Ids and payloads of a platform's quarantined records behind one."""
        query = select(QuarantinedRecord.id, QuarantinedRecord.raw_zstd).order_by(QuarantinedRecord.id).limit(limit)
        found = query.where(QuarantinedRecord.platform == platform, QuarantinedRecord.id > after)
        return [(id_, raw) for id_, raw in await self._session.execute(found)]

    async def delete_records(self, ids: Sequence[str]) -> None:
        """Delete quarantined records."""
        await self._session.execute(delete(QuarantinedRecord).where(QuarantinedRecord.id.in_(ids)))

    async def replace_record(self, id_: str, raw_zstd: bytes) -> None:
        """Put another payload into a record."""
        statement = update(QuarantinedRecord).where(QuarantinedRecord.id == id_).values(raw_zstd=raw_zstd)
        await self._session.execute(statement)

    async def pages(self, table: PageTable, after: PageKey, limit: int) -> list[tuple[PageKey, bytes]]:
        """Keys and messages of pages behind one."""
        key = (table.execution_id, table.page_no, table.attempt)
        query = select(*key, table.message).where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(limit)
        return [(_key(row), row[3]) for row in await self._session.execute(query)]

    async def replace_page(self, table: PageTable, key: PageKey, message: bytes) -> None:
        """Put another message into a page."""
        same = (table.execution_id == key[0]) & (table.page_no == key[1]) & (table.attempt == key[2])
        await self._session.execute(update(table).where(same).values(message=message))


def _key(row: Any) -> PageKey:
    return row[0], row[1], row[2]
