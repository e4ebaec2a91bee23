"""What processing measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xget_processing.service.parsing import ParsedPage
from xget_telemetry.metrics import Registry, Spec

PAGES: Final = Spec("xget_processing_pages_total", "Pages parsed.", ("platform",))
ITEMS: Final = Spec("xget_processing_items_total", "Items found on them.", ("platform",))
QUARANTINED: Final = Spec("xget_processing_quarantined_total", "Records that no parser could read.", ("platform",))


class ParserMetrics:
    """The instruments of parsing in this process."""

    def __init__(self, registry: Registry) -> None:
        self._pages = registry.counter(PAGES)
        self._items = registry.counter(ITEMS)
        self._quarantined = registry.counter(QUARANTINED)

    def parsed(self, pages: Sequence[ParsedPage]) -> None:
        """These pages are parsed and what was rejected is kept."""
        for page in pages:
            platform = page.page.platform
            self._pages.labels(platform).inc()
            self._items.labels(platform).inc(len(page.result.items))
            self._quarantined.labels(platform).inc(len(page.rejected))
