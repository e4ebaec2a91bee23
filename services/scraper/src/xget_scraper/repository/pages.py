"""SQL of pages and certificates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from xget_scraper.models import Certificate, Page


class PageRepository:
    """Rows of pages."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def obtain(self, execution_id: str, page_no: int) -> Page:
        """The page's row, made if it is not there yet. The caller holds the lock of the execution."""
        page = await self._session.get(Page, (execution_id, page_no))
        if page is None:
            page = Page(execution_id=execution_id, page_no=page_no, settled=False, bytes=0, requests=0)
            for name in COUNTS:
                setattr(page, name, 0)
            self._session.add(page)
        return page

    async def unsettled(self, execution_id: str) -> int:
        """How many collected pages storage has not confirmed."""
        query = select(func.count()).where(
            Page.execution_id == execution_id, Page.settled.is_(False), Page.attempt.is_not(None)
        )
        return await self._session.scalar(query) or 0

    async def count(self, execution_id: str) -> int:
        """How many pages are known."""
        return await self._session.scalar(select(func.count()).where(Page.execution_id == execution_id)) or 0

    async def ends(self, execution_id: str) -> tuple[Page | None, Page | None]:
        """The first and the last collected page."""
        collected = select(Page).where(Page.execution_id == execution_id, Page.attempt.is_not(None)).limit(1)
        first = (await self._session.scalars(collected.order_by(Page.page_no))).one_or_none()
        last = (await self._session.scalars(collected.order_by(Page.page_no.desc()))).one_or_none()
        return first, last

    async def oldest(self, execution_id: str) -> tuple[str | None, datetime | None]:
        """Id and time of the oldest match."""
        query = select(Page.first_id, Page.first_at).where(Page.execution_id == execution_id)
        timed = query.where(Page.first_at.is_not(None)).order_by(Page.first_at, Page.page_no).limit(1)
        return await self._id_and_time(timed, query.where(Page.first_id.is_not(None)).order_by(Page.page_no).limit(1))

    async def newest(self, execution_id: str) -> tuple[str | None, datetime | None]:
        """Id and time of the newest match."""
        query = select(Page.last_id, Page.last_at).where(Page.execution_id == execution_id)
        timed = query.where(Page.last_at.is_not(None)).order_by(Page.last_at.desc(), Page.page_no).limit(1)
        untimed = query.where(Page.last_id.is_not(None)).order_by(Page.page_no.desc()).limit(1)
        return await self._id_and_time(timed, untimed)

    async def _id_and_time(self, *queries: Select[str | None, datetime | None]) -> tuple[str | None, datetime | None]:
        for query in queries:
            row = (await self._session.execute(query)).first()
            if row is not None:
                return row[0], row[1]
        return None, None

    async def distinct(self, execution_id: str, column: str) -> Sequence[str]:
        """The different values of a text column, sorted."""
        attribute = getattr(Page, column)
        query = select(attribute).where(Page.execution_id == execution_id, attribute.is_not(None)).distinct()
        return sorted((await self._session.scalars(query)).all())

    async def by_route(self, execution_id: str) -> Sequence[tuple[str, int, int]]:
        """Route, pages and requests."""
        query = select(Page.route, func.count(), func.sum(Page.requests)).where(
            Page.execution_id == execution_id, Page.route.is_not(None)
        )
        rows = await self._session.execute(query.group_by(Page.route).order_by(Page.route))
        return [(str(route), pages, int(requests)) for route, pages, requests in rows]

    async def certificate(self, execution_id: str) -> Certificate | None:
        """The certificate, when it is written."""
        return await self._session.get(Certificate, execution_id)

    def add_certificate(self, certificate: Certificate) -> None:
        self._session.add(certificate)


COUNTS = ("matched", "context", "new", "updated", "unchanged", "duplicate", "quarantined")
"""Counts of a page that its execution sums up."""
