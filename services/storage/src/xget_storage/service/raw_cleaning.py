"""Raw pages without authors who were taken down."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence

import msgspec
import zstandard

from xget_sources.records import Records
from xget_storage.models import RawPage
from xget_storage.service.raw import body_of


class RawCleaner:
    """Takes authors out of pages, by what each platform's source knows of its payloads."""

    def __init__(self, records: Mapping[str, Records]) -> None:
        self._records = records

    async def cleaned_all(self, pages: Sequence[RawPage], banned: Collection[str]) -> list[RawPage]:
        """The pages without these authors (`platform:id`)."""
        if not banned:
            return list(pages)
        return [await self.cleaned(page, banned) or page for page in pages]

    async def cleaned(self, page: RawPage, banned: Collection[str]) -> RawPage | None:
        """The page without these authors; None when none of them is on it. Its `sha256` is of what is left."""
        return await asyncio.to_thread(self._cleaned, page, banned)

    def _cleaned(self, page: RawPage, banned: Collection[str]) -> RawPage | None:
        records = self._records.get(page.platform)
        if records is None:
            return None
        body, found = body_of(page), False
        for author_key in banned:
            platform, _, author_id = author_key.partition(":")
            done = records.without_author(body, author_id) if platform == page.platform else None
            if done is not None:
                body, found = done.body, True
        if not found:
            return None
        compressed = zstandard.ZstdCompressor().compress(body)
        digest = hashlib.sha256(body).hexdigest()
        return msgspec.structs.replace(page, body_zstd=compressed, sha256=digest, forgotten=True)
