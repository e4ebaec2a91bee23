"""Items as the platform sent them, cut out of stored pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import zstandard

from xget_contracts.items import Struct
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_sources.records import Record, Records
from xget_storage.errors import RawGone, RawNotFound, no_such_item
from xget_storage.models import RawPage, Sighting
from xget_storage.ports import DocumentStore, RawPageStore

PAGE_PATTERN: Final = r"^[^/\s]{1,64}/[1-9][0-9]{0,8}$"
LARGEST_BODY: Final = 128 * 1024 * 1024
_NEWEST: Final = 20
"""So many sights are looked at: pages of older ones went before those of newer."""


class PageReference(Struct, kw_only=True, omit_defaults=False):
    """The page that a record was cut out of; `sha256` is of its whole body."""

    execution_id: str
    page_no: int
    task_id: str
    operation: str
    fetched_at: datetime
    sha256: str


class RawRecord(Struct, kw_only=True, omit_defaults=False):
    """An item as the platform sent it: `record` stands at `path` of the page."""

    key: str
    page: PageReference
    path: str
    record: msgspec.Raw


class RawService:
    """Use cases of raw pages. Owners see pages of their own executions."""

    def __init__(
        self,
        documents: DocumentStore,
        raw_pages: RawPageStore,
        records: Mapping[str, Records],
        clock: Clock,
        days: int,
    ) -> None:
        self._documents = documents
        self._raw_pages = raw_pages
        self._records = records
        self._clock = clock
        self._days = days

    async def record(self, key: str, caller: Caller, page: str | None = None) -> RawRecord:
        """The record on `page` ("execution/page number"), else on the last page there is that showed the item.

        Raises ItemNotFound (404), RawNotFound (404), RawGone (410) when retention has dropped the pages.
        """
        item = await self._documents.get(key, caller.owner_filter)
        if item is None:
            raise no_such_item(key)
        seen = (await self._documents.history(key, caller.owner_filter, _NEWEST)).items
        if not seen:
            raise RawNotFound("This item was brought by a person: no page of a platform shows it.")
        asked = [] if page is None else [_place(page)]
        for execution, page_no in asked or [_last_page(one) for one in seen]:
            stored = await self._raw_pages.get(execution, page_no)
            if stored is None or caller.owner_filter not in (None, stored.owner_id):
                continue
            if (found := await self._cut(item.platform, stored, key)) is not None:
                return RawRecord(key=key, page=_reference(stored), path=found.path, record=msgspec.Raw(found.raw))
        raise self._why_none(page, seen)

    async def _cut(self, platform: str, page: RawPage, key: str) -> Record | None:
        records = self._records.get(platform)
        if records is None:
            raise RawNotFound(f"No source of {platform[:64]!r} is installed here that reads its pages.")
        return await asyncio.to_thread(lambda: records.record_of(body_of(page), key))

    def _why_none(self, page: str | None, seen: Sequence[Sighting]) -> RawGone | RawNotFound:
        if page is not None and _place(page) not in {_last_page(one) for one in seen}:
            return RawNotFound(f"Page {page} of yours does not show this item, or is not kept: leave out `page`.")
        if self._days and max(one.seen_at for one in seen) < self._clock.now() - timedelta(days=self._days):
            return RawGone(f"The pages that showed this item are gone: XGET_RAW_PAGE_DAYS keeps {self._days} days.")
        return RawNotFound("The page that showed this item last is not kept (yet): try again in a moment.")


def body_of(page: RawPage) -> bytes:
    """What the platform answered; empty for a body that does not decompress."""
    try:
        return zstandard.ZstdDecompressor().decompress(page.body_zstd, max_output_size=LARGEST_BODY)
    except zstandard.ZstdError:
        return b""


def _place(page: str) -> tuple[str, int]:
    execution, _, number = page.rpartition("/")
    return execution, int(number)


def _last_page(one: Sighting) -> tuple[str, int]:
    return one.execution_id, max(one.page_no, one.match_page or 0)


def _reference(page: RawPage) -> PageReference:
    return PageReference(
        execution_id=page.execution_id, page_no=page.page_no, task_id=page.task_id, operation=page.operation,
        fetched_at=page.fetched_at, sha256=page.sha256,
    )  # fmt: skip
