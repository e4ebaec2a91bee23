"""What storage measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xget_contracts.events import PageStored
from xget_telemetry.metrics import Registry, Spec

PAGES: Final = Spec("xget_storage_pages_total", "Pages stored.")
ITEMS: Final = Spec("xget_storage_items_total", "Items of these pages, by what storing them changed.", ("outcome",))
INDEXED: Final = Spec("xget_storage_indexed_total", "Items handed to search.")


class StorageMetrics:
    """The instruments of storing and indexing in this process."""

    def __init__(self, registry: Registry) -> None:
        self._pages = registry.counter(PAGES)
        self._items = registry.counter(ITEMS)
        self._indexed = registry.counter(INDEXED)

    def stored(self, pages: Sequence[PageStored]) -> None:
        """These pages are in the store."""
        self._pages.inc(len(pages))
        for outcome in ("new", "updated", "unchanged", "duplicate"):
            self._items.labels(outcome).inc(sum(getattr(page, outcome) for page in pages))

    def indexed(self, count: int) -> None:
        """So many items are searchable."""
        self._indexed.inc(count)
