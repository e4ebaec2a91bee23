"""Keeps what could not be read, and reads it again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import zstandard

from xget_contracts.events import PageParsed
from xget_kernel.caller import Caller
from xget_kernel.clock import Clock
from xget_kernel.ids import new_id
from xget_kernel.pages import PageQuery
from xget_processing.errors import RecordClosed, RecordNotFound
from xget_processing.models import DISMISSED, OPEN, ParserVersion, QuarantinedRecord, RecordFilter
from xget_processing.repository import PageId, Store, Unit
from xget_processing.service.parsing import PageParser, ParsedPage

MOST_PAGES: Final = 100
"""Pages that one call replays."""
_LONGEST_ID: Final = 256


class ReplayReport(msgspec.Struct, kw_only=True):
    """What a replay did. `remaining` pages were not reached: ask again."""

    pages: int = 0
    replayed: int = 0
    still_open: int = 0
    remaining: int = 0
    last: PageId | None = None


class QuarantineService:
    """Use cases of quarantine."""

    def __init__(self, store: Store, parser: PageParser, clock: Clock) -> None:
        self._store = store
        self._parser = parser
        self._clock = clock

    async def record(self, parsed: Sequence[ParsedPage]) -> None:
        """Take in what pages rejected, in one transaction; doing it again changes nothing but the parsers' counts."""
        async with self._store.transaction() as unit:
            await self.take_in(unit, parsed)

    async def take_in(self, unit: Unit, parsed: Sequence[ParsedPage]) -> None:
        """The same in a transaction of the caller's."""
        open_before = await unit.records.pages_with_records([_page_id(one) for one in parsed])
        for one in sorted(parsed, key=_page_id):  # rows are locked in one order, whoever else has the same pages
            if one.rejected or _page_id(one) in open_before:
                await self._take_in(unit, one, _page_id(one))
        await unit.parsers.count_parsed(_counted(parsed, self._clock))

    async def _take_in(self, unit: Unit, parsed: ParsedPage, page: PageId) -> int:
        """Keep what this parser rejects, close what it does not, and count what is left; how many were closed.

        Another attempt's records stay: what they are of may be on that attempt's page only.
        """
        if parsed.rejected:
            await unit.records.keep_page(page, parsed.page)
            await unit.records.add(self._rows(parsed, page[2]))
        paths = [_storable(record.path) for record in parsed.rejected]
        closed = await unit.records.close_others(page, paths, parsed.result.parser_version, self._clock.now())
        parsed.result.quarantined = await unit.records.count_open(page)
        return closed

    def _rows(self, parsed: ParsedPage, attempt: int) -> list[dict[str, Any]]:
        page, now = parsed.page, self._clock.now()
        compress = zstandard.ZstdCompressor().compress
        return [
            {
                "id": new_id(),
                "execution_id": page.execution_id,
                "page_no": page.page_no,
                "attempt": attempt,
                "path": _storable(record.path),
                "parser_version": parsed.result.parser_version,
                "task_id": page.task_id,
                "owner_id": page.owner_id,
                "platform": page.platform,
                "operation": page.operation,
                "reason": _storable(record.reason),
                "shape": _storable(record.shape),
                "native_id": _storable(record.native_id)[:_LONGEST_ID] if record.native_id else None,
                "raw_zstd": compress(record.raw),
                "state": OPEN,
                "created_at": now,
                "updated_at": now,
            }
            for record in parsed.rejected
        ]

    async def find(self, wanted: RecordFilter, page: PageQuery) -> tuple[Sequence[QuarantinedRecord], int]:
        """Records newest first, without payloads, and how many there are."""
        async with self._store.read() as unit:
            return await unit.records.find(wanted, page)

    async def get(self, record_id: str, caller: Caller) -> QuarantinedRecord:
        """One record with its payload. Raises RecordNotFound (404)."""
        async with self._store.read() as unit:
            return await _find(unit, record_id, caller)

    async def dismiss(self, record_id: str, caller: Caller) -> QuarantinedRecord:
        """Put a record aside for good. Raises RecordNotFound (404), RecordClosed (409) for a replayed one."""
        async with self._store.transaction() as unit:
            record = await _find(unit, record_id, caller)
            if record.state not in (OPEN, DISMISSED):
                raise RecordClosed("This record was replayed already: there is nothing left to dismiss.")
            record.state = DISMISSED
            record.updated_at = self._clock.now()
            return record

    async def replay_one(self, record_id: str, caller: Caller) -> QuarantinedRecord:
        """Parse the record's page again. Raises RecordNotFound (404), RecordClosed (409)."""
        record = await self.get(record_id, caller)
        if record.state != OPEN:
            raise RecordClosed(f"This record is {record.state}: only open records are replayed.")
        await self._replay((record.execution_id, record.page_no, record.attempt))
        return await self.get(record_id, caller)

    async def replay(self, wanted: RecordFilter, after: PageId | None = None, left: int | None = None) -> ReplayReport:
        """Parse the pages of open records again with today's parser, at most 100, in the order of their executions.

        `last` of the report is where the next call goes on; None when no page is left. `left` is what the call before
        said of `remaining`: to count again each time would cost more than the pages.
        """
        async with self._store.read() as unit:
            pages, total = await unit.records.open_pages(wanted, MOST_PAGES + 1, after, counted=left is None)
        more, pages = len(pages) > MOST_PAGES, pages[:MOST_PAGES]
        report = ReplayReport(remaining=max((total if left is None else left) - len(pages), 1) if more else 0)
        for page in pages:
            closed, left = await self._replay(page)
            report.pages += 1
            report.replayed += closed
            report.still_open += left
        report.last = pages[-1] if report.remaining else None
        return report

    async def _replay(self, page: PageId) -> tuple[int, int]:
        """Records closed and left; what the page holds is announced with the commit."""
        async with self._store.read() as unit:
            kept = await unit.records.page(page)
        if kept is None:
            return 0, 0
        parsed = await asyncio.to_thread(self._parser.parse, kept)
        async with self._store.transaction() as unit:
            closed = await self._take_in(unit, parsed, page)
            unit.announce(msgspec.structs.replace(parsed.result, replay=True))
            return closed, len(parsed.rejected)

    async def parsers(self) -> Sequence[ParserVersion]:
        """Parser versions and what they have read."""
        async with self._store.read() as unit:
            return await unit.parsers.versions()


def _page_id(parsed: ParsedPage) -> PageId:
    return parsed.page.execution_id, parsed.page.page_no, parsed.page.attempt


def _storable(text: str) -> str:
    """Foreign text as every database takes it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


async def _find(unit: Unit, record_id: str, caller: Caller) -> QuarantinedRecord:
    record = await unit.records.get(record_id, caller.owner_filter)
    if record is None:
        raise RecordNotFound(record_id)
    return record


def _counted(parsed: Sequence[ParsedPage], clock: Clock) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in parsed:
        result: PageParsed = one.result
        key = (result.platform, result.parser_version)
        row = rows.setdefault(
            key,
            {"platform": key[0], "version": key[1], "pages": 0, "items": 0, "rejected": 0}
            | {"first_used": clock.now(), "last_used": clock.now()},
        )
        row["pages"] += 1
        row["items"] += len(result.items)
        row["rejected"] += len(one.rejected)
    return [rows[key] for key in sorted(rows)]
