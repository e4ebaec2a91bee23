"""The search index anew, from the documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xget_storage.models import StoredItem
from xget_storage.ports import DocumentStore, ItemFilter, SearchIndex

_PIECE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rebuild is."""

    items: int
    """Items that this run took over."""
    deletions: int
    """Deletions that it took over."""
    total: int
    """Items that there were when it began."""
    resumed: bool
    """True when it goes on where another run was stopped."""


class RebuildService:
    """Builds search again while everything else goes on."""

    def __init__(self, documents: DocumentStore, index: SearchIndex) -> None:
        self._documents = documents
        self._index = index

    async def run(self, told: Callable[[Progress], None]) -> Progress:
        """Take over all documents, then serve what they made; `told` hears of every piece.

        May be cut short anywhere: search serves on as it was, and the next run continues. Raises RebuildRunning (409),
        Unavailable (503), Full (507).
        """
        total = (await self._documents.find(ItemFilter(), 1)).total
        async with self._index.rebuilding() as rebuild:
            progress = Progress(items=0, deletions=0, total=total, resumed=rebuild.after is not None)
            while found := await self._documents.scan(rebuild.after, _PIECE):
                await rebuild.take({key: _shown(one) for key, one in found.items()})
                items = sum(isinstance(one, StoredItem) for one in found.values())
                progress = Progress(
                    items=progress.items + items,
                    deletions=progress.deletions + len(found) - items,
                    total=total,
                    resumed=progress.resumed,
                )
                told(progress)
            await rebuild.finish()
        return progress


def _shown(one: StoredItem | int) -> StoredItem | int:
    return one.visible() if isinstance(one, StoredItem) else one
