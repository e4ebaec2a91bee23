"""What processing measures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from xget_processing.models import FROZEN as STOPPED
from xget_processing.models import ParserState
from xget_processing.service.parsing import ParsedPage
from xget_telemetry.metrics import Registry, Spec

PAGES: Final = Spec("xget_processing_pages_total", "Pages parsed.", ("platform",))
ITEMS: Final = Spec("xget_processing_items_total", "Items found on them.", ("platform",))
QUARANTINED: Final = Spec("xget_processing_quarantined_total", "Records that no parser could read.", ("platform",))
FROZEN: Final = Spec("xget_processing_parser_frozen", "1 while a parser is frozen, else 0.", ("parser",))
WAITING: Final = Spec("xget_processing_waiting_pages", "Pages that wait for a frozen parser.", ("parser",))
THAWED: Final = Spec("xget_processing_parser_thaws_total", "Parsers that a newer version thawed.", ("parser",))
DRIFT: Final = Spec(
    "xget_processing_drift_fields",
    "Fields that a parser version does not know, or that stay away.",
    ("platform", "version", "kind"),
)
States = Callable[[], Awaitable[Sequence[tuple[ParserState, int]]]]
"""Reads all parsers, and how many pages wait for each."""


class ParserMetrics:
    """The instruments of parsing in this process."""

    def __init__(self, registry: Registry) -> None:
        self._pages = registry.counter(PAGES)
        self._items = registry.counter(ITEMS)
        self._quarantined = registry.counter(QUARANTINED)
        self._thawed = registry.counter(THAWED)

    def parsed(self, pages: Sequence[ParsedPage]) -> None:
        """These pages are parsed and what was rejected is kept."""
        for page in pages:
            platform = page.page.platform
            self._pages.labels(platform).inc()
            self._items.labels(platform).inc(len(page.result.items))
            self._quarantined.labels(platform).inc(len(page.rejected))

    def thawed(self, parser: str) -> None:
        """A newer version reads what waits for this parser."""
        self._thawed.labels(parser).inc()


def measure_parsers(registry: Registry, states: States) -> None:
    """Show which parsers are frozen and what waits for them, read from the tables for each scrape."""

    async def frozen() -> dict[tuple[str, ...], float]:
        return {(state.name,): float(state.state == STOPPED) for state, _ in await states()}

    async def waiting() -> dict[tuple[str, ...], float]:
        return {(state.name,): float(pages) for state, pages in await states()}

    registry.sampled(FROZEN, frozen)
    registry.sampled(WAITING, waiting)


def measure_drift(registry: Registry, counts: Callable[[], Awaitable[dict[tuple[str, str, str], int]]]) -> None:
    """Show how many fields are new and missing, read from the tables for each scrape."""

    async def fields() -> dict[tuple[str, ...], float]:
        return {labels: float(count) for labels, count in (await counts()).items()}

    registry.sampled(DRIFT, fields)
