"""Keeps authors out who were taken down: out of quarantine, of pages that wait, and of pages that come."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import zstandard

from xget_contracts.events import AuthorForgotten, PageCollected
from xget_processing.repository import Store
from xget_processing.repository.forgetting import PAGE_TABLES, PageKey, PageTable
from xget_processing.service.freezing import Traced
from xget_sources.records import Cleaned, Records

_PIECE: Final = 50
_LARGEST_BODY: Final = 128 * 1024 * 1024
_FIRST: Final[PageKey] = ("", -1, -1)


class ForgettingService:
    """Use cases of takedowns. Each piece is one transaction; all of it again is fine."""

    def __init__(self, store: Store, records: Mapping[str, Records]) -> None:
        self._store = store
        self._records = records

    async def take(self, event: AuthorForgotten) -> None:
        """Ban an author and take them out of all that is kept; or let them in again."""
        async with self._store.transaction() as unit:
            active = await unit.forgetting.decide(event)
        if active and event.platform in self._records:
            await self._clean_records(event)
            for table in PAGE_TABLES:
                await self._clean_pages(table, event)

    async def cleaned(self, pages: Sequence[Traced]) -> list[Traced]:
        """Pages without the authors who stay away."""
        async with self._store.read() as unit:
            bans = await unit.forgetting.bans()
        if not bans:
            return list(pages)
        left: list[Traced] = []
        for page, trace in pages:
            done = await asyncio.to_thread(self._page_without, page, bans)
            left.append((page if done is None else done, trace))
        return left

    async def _clean_records(self, event: AuthorForgotten) -> None:
        after = ""
        while True:
            async with self._store.transaction() as unit:
                rows = await unit.forgetting.records(event.platform, after, _PIECE)
                gone: list[str] = []
                for id_, raw in rows:
                    done = await asyncio.to_thread(self._without, event.platform, raw, event.author_id)
                    if done is not None and done.whole:
                        gone.append(id_)
                    elif done is not None:
                        await unit.forgetting.replace_record(id_, zstandard.compress(done.body))
                await unit.forgetting.delete_records(gone)
            if len(rows) < _PIECE:
                return
            after = rows[-1][0]

    async def _clean_pages(self, table: PageTable, event: AuthorForgotten) -> None:
        after = _FIRST
        while True:
            async with self._store.transaction() as unit:
                rows = await unit.forgetting.pages(table, after, _PIECE)
                for key, message in rows:
                    page = msgspec.msgpack.decode(message, type=PageCollected)
                    done = await asyncio.to_thread(self._page_without, page, [(event.platform, event.author_id)])
                    if done is not None:
                        await unit.forgetting.replace_page(table, key, msgspec.msgpack.encode(done))
            if len(rows) < _PIECE:
                return
            after = rows[-1][0]

    def _page_without(self, page: PageCollected, bans: Sequence[tuple[str, str]]) -> PageCollected | None:
        """The page without these authors; None when none of them is on it."""
        kept = page
        for platform, author_id in bans:
            if platform == page.platform:
                done = self._without(platform, kept.body_zstd, author_id)
                if done is not None:
                    digest = hashlib.sha256(done.body).hexdigest()
                    kept = msgspec.structs.replace(kept, body_zstd=zstandard.compress(done.body), sha256=digest)
        return None if kept is page else kept

    def _without(self, platform: str, body_zstd: bytes, author_id: str) -> Cleaned | None:
        records = self._records.get(platform)
        if records is None:
            return None
        try:
            body = zstandard.ZstdDecompressor().decompress(body_zstd, max_output_size=_LARGEST_BODY)
        except zstandard.ZstdError:
            return None
        return records.without_author(body, author_id)
