"""From parsed pages to stored and searchable items."""

from __future__ import annotations

from collections.abc import Sequence

from xget_contracts.events import PageCollected, PageParsed, PageStored
from xget_kernel.clock import Clock
from xget_storage.models import RawPage, StoredItem
from xget_storage.ports import DocumentStore, RawPageStore, SearchIndex
from xget_storage.service.raw_cleaning import RawCleaner


class IngestService:
    """Stores what pages hold, and the pages themselves."""

    def __init__(
        self, documents: DocumentStore, raw_pages: RawPageStore, clock: Clock, cleaner: RawCleaner | None = None
    ) -> None:
        self._documents = documents
        self._raw_pages = raw_pages
        self._clock = clock
        self._cleaner = cleaner or RawCleaner({})

    async def store(self, pages: Sequence[PageParsed]) -> list[PageStored]:
        """Store a batch; durable on return. Repeating it changes nothing.

        Answers for these pages come first; behind them those of other pages whose counts they changed.
        """
        return await self._documents.store_pages(pages, self._clock.now())

    async def keep_raw(self, pages: Sequence[PageCollected]) -> None:
        """Keep pages as received, without authors who were taken down."""
        kept = [
            RawPage(
                execution_id=page.execution_id,
                page_no=page.page_no,
                task_id=page.task_id,
                owner_id=page.owner_id,
                platform=page.platform,
                operation=page.operation,
                fetched_at=page.fetched_at,
                sha256=page.sha256,
                body_zstd=page.body_zstd,
            )
            for page in pages
        ]
        banned = await self._documents.banned()
        await self._raw_pages.put(await self._cleaner.cleaned_all(kept, banned), self._clock.now())
        if late := await self._documents.banned() - banned:  # taken down while the pages were on their way
            await self._raw_pages.put(await self._cleaner.cleaned_all(kept, banned | late), self._clock.now())


class IndexService:
    """Keeps search up with the documents."""

    def __init__(self, documents: DocumentStore, index: SearchIndex) -> None:
        self._documents = documents
        self._index = index

    async def index(self, keys: Sequence[str]) -> None:
        """Take over the present state of items; those that were deleted meanwhile are `catch_up`'s."""
        found = await self._documents.load(keys)
        await self._index.index([item.visible() for item in found.values()])

    async def catch_up(self, size: int = 500) -> int:
        """Take over what people changed; how many items that were."""
        changed = await self._documents.unindexed(size)
        if not changed:
            return 0
        present = [item.visible() for item in changed.values() if isinstance(item, StoredItem)]
        gone = {key: rev for key, rev in changed.items() if isinstance(rev, int)}
        await self._index.index(present)
        await self._index.delete(gone)
        await self._documents.indexed({**gone, **{item.key: item.rev for item in present}})
        return len(changed)
